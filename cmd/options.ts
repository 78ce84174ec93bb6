/**
 * Options as plain tables, and the small reader that turns argv into their values the way Go's flag package does:
 * `--name value`, `--name=value` and both with one dash; a boolean takes a value only after "=". Beyond Go, one-letter
 * names can be grouped (`-it`) where that is no name. help.ts builds yargs from the same tables for people; engines
 * never wait for it.
 */
import { parseDuration } from "./duration.ts";
import { quote } from "./quote.ts";

export interface Option {
  /**
   * A "boolean?" is undefined when it is not given, so that --name=false is an answer of its own. A "duration" has a
   * default, and becomes nanoseconds.
   */
  readonly kind: "boolean" | "boolean?" | "string" | "number" | "duration" | "string[]";
  /** The one-letter name. */
  readonly short?: string;
  /** What stands for the value in help, such as "DIR". */
  readonly placeholder?: string;
  readonly description: string;
  readonly default?: string | number;
}

/** Options by their long name. */
export type OptionTable = Readonly<Record<string, Option>>;

export type OptionValues<T extends OptionTable> = { readonly [Name in keyof T]: ValueOf<T[Name]> };

type ValueOf<O extends Option> = O extends { kind: "boolean" }
  ? boolean
  : O extends { kind: "boolean?" }
    ? boolean | undefined
    : O extends { kind: "string[]" }
      ? readonly string[]
      : O extends { kind: "duration" }
        ? bigint
        : O extends { default: infer D }
          ? Widened<D>
          : (O extends { kind: "number" } ? number : string) | undefined;
type Widened<D> = D extends number ? number : string;

export interface CommandLine<T extends OptionTable> {
  readonly options: OptionValues<T>;
  /** Everything that is not an option. */
  readonly args: readonly string[];
  /** --help or -h was among the options. */
  readonly help: boolean;
}

/** A command line that cannot be read: the usage line is shown with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads argv. With `flagsFirst` the first other word ends the options, so that `exec ID ls -l` keeps its -l. */
export function readArgv<const T extends OptionTable>(
  table: T,
  words: readonly string[],
  flagsFirst: boolean,
): CommandLine<T> {
  const argv = [...words];
  const values = defaults(table);
  const args: string[] = [];
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      args.push(...argv.slice(i + 1));
      break;
    }
    if (word.length < 2 || !word.startsWith("-")) {
      if (flagsFirst) {
        args.push(...argv.slice(i));
        break;
      }
      args.push(word);
      continue;
    }
    const letters = ungroup(table, word);
    if (letters !== undefined) argv.splice(i, 1, ...letters);
    const { given, text } = splitFlag(letters?.[0] ?? word);
    const name = longName(table, given);
    const option = name === undefined ? undefined : table[name];
    if (name === undefined || option === undefined) {
      if (given !== "help" && given !== "h") throw flagError(`flag provided but not defined: -${given}`);
      help = text === undefined || parseBoolean(given, text);
    } else if (option.kind === "boolean" || option.kind === "boolean?") {
      values[name] = text === undefined || parseBoolean(given, text);
    } else {
      const value = text ?? argv[++i];
      if (value === undefined) throw flagError(`flag needs an argument: -${given}`);
      if (option.kind === "string[]") (values[name] as string[]).push(value);
      else values[name] = parseValue(option, given, value);
    }
  }
  return { options: values as OptionValues<T>, args, help };
}

/**
 * The options that a group of one-letter names stands for: "-it" is "-i" and "-t". Only the last of them may take a
 * value, the next word or what follows "=". Undefined for what is no group: a name of its own, as Go reads it, first.
 */
export function ungroup(table: OptionTable, word: string): readonly string[] | undefined {
  const [, letters = "", rest = ""] = /^-([A-Za-z]{2,})(=.*)?$/s.exec(word) ?? [];
  if (letters === "" || longName(table, letters) !== undefined) return undefined;
  const options = Array.from(letters, (letter) => optionBy(table, letter));
  const isGroup = options.every(
    (option, i) => option !== undefined && (i === options.length - 1 || option.kind.startsWith("boolean")),
  );
  if (!isGroup) return undefined;
  return Array.from(letters, (letter, i) => `-${letter}${i === letters.length - 1 ? rest : ""}`);
}

function optionBy(table: OptionTable, letter: string): Option | undefined {
  return Object.values(table).find(({ short }) => short === letter);
}

/** Throws the words of runc (utils.go, checkArgs) when there are too few or too many arguments. */
export function checkCount(program: string, command: string, count: number, min: number, max: number): void {
  if (count >= min && count <= max) return;
  const bound = min === max ? `exactly ${min}` : count < min ? `a minimum of ${min}` : `a maximum of ${max}`;
  throw new UsageError(`${program}: "${command}" requires ${bound} argument(s)`);
}

/** The value of an option that takes one, from its text. */
export function parseValue({ kind }: Option, flag: string, text: string): string | number | bigint {
  if (kind === "number") return parseInteger(flag, text);
  if (kind !== "duration") return text;
  const duration = parseDuration(text);
  if (duration === undefined)
    throw flagError(`invalid value ${quote(text)} for flag -${flag}: parse error${withUnit}`);
  return duration;
}

/** A whole number in decimal; "010" is refused, since Go would read it as eight. */
function parseInteger(flag: string, text: string): number {
  const value = /^[+-]?(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  const problem = Number.isNaN(value) ? "parse error" : "value out of range";
  throw flagError(`invalid value ${quote(text)} for flag -${flag}: ${problem}${wholeNumber}`);
}

const wholeNumber = " (a whole number in decimal is accepted)";
const withUnit = ' (numbers with a unit are accepted, such as "300ms", "5s" or "1m30s")';

/** As Go's strconv.ParseBool; undefined for what is neither. */
export function tryBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}

function parseBoolean(flag: string, text: string): boolean {
  const value = tryBoolean(text);
  if (value !== undefined) return value;
  throw flagError(
    `invalid boolean value ${quote(text)} for -${flag}: parse error (true and false are accepted)`,
  );
}

function splitFlag(word: string): { given: string; text: string | undefined } {
  const body = word.slice(word.startsWith("--") ? 2 : 1);
  if (/^[-=]/.test(body)) throw flagError(`bad flag syntax: ${word}`);
  const equals = body.indexOf("=");
  return equals < 0
    ? { given: body, text: undefined }
    : { given: body.slice(0, equals), text: body.slice(equals + 1) };
}

function longName(table: OptionTable, given: string): string | undefined {
  if (Object.hasOwn(table, given)) return given;
  return Object.keys(table).find((name) => table[name]?.short === given);
}

function defaults(table: OptionTable): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) values[name] = unlessGiven(name, option);
  return values;
}

function unlessGiven(name: string, option: Option): unknown {
  if (option.kind === "boolean") return false;
  if (option.kind === "string[]") return [];
  return option.kind === "duration" ? parseValue(option, name, String(option.default)) : option.default;
}

function flagError(message: string): UsageError {
  return new UsageError(message);
}
