/**
 * The few parts that the tables of validate_*.ts are made of. A check looks at one value and writes down what
 * is wrong with it; it never throws and never changes the value, so one pass finds every problem. `null` counts
 * as absent, as Go's decoder has it.
 */
import { field } from "./field.ts";
import type { Issue, Warning } from "./invalid_config.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { quote } from "./quote.ts";

export type Key = string | number;

/** What a pass over a document has found so far, and the keys that lead to where it is. */
export interface Findings {
  readonly path: Key[];
  readonly issues: Issue[];
  readonly warnings: Warning[];
  /** Keys that no table knows, with the names that the table has. */
  readonly unknown: { readonly path: readonly Key[]; readonly known: readonly string[] }[];
  /** Whether a null stood for something absent. */
  nulls: boolean;
}

export type Check = (value: JsonValue, found: Findings) => void;

/** A rule over several members of an object: it runs whatever is wrong with them, so it must not trust their types. */
export type Rule = (value: JsonObject, found: Findings) => void;

export function findings(...path: Key[]): Findings {
  return { path, issues: [], warnings: [], unknown: [], nulls: false };
}

/** Writes down a problem of the value at the current place, or at `keys` below it. */
export function refuse(
  found: Findings,
  keys: readonly Key[],
  problem: string,
  given: JsonValue | undefined,
  accepted: string,
): void {
  found.issues.push({ field: field(...found.path, ...keys), problem, given: show(given), accepted });
}

/** Writes down something that does not stop the container. */
export function warn(found: Findings, keys: readonly Key[], text: string): void {
  found.warnings.push({ field: field(...found.path, ...keys), text });
}

function show(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value when it is an object, else an empty one: what rules read from. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value when it is a list, else an empty one. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is an integer, else undefined. */
export function integerOf(value: JsonValue | undefined): number | bigint | undefined {
  return typeof value === "bigint" || Number.isSafeInteger(value) ? (value as number | bigint) : undefined;
}

/** Any value: for what belongs to other platforms. */
export const anything: Check = () => {};

export const flag: Check = (value, found) => {
  if (typeof value !== "boolean") refuse(found, [], "wrong type", value, "true or false");
};

/** A string without NUL: the kernel would read only what is before it. */
export const text: Check = (value, found) => {
  isText(value, found);
};

function isText(value: JsonValue, found: Findings): value is string {
  if (typeof value !== "string") refuse(found, [], "wrong type", value, "a string");
  else if (value.includes("\0")) refuse(found, [], "contains a NUL", value, "a string without NUL");
  else return true;
  return false;
}

/** A string that `problemOf` has nothing to say against. */
export function textThat(accepted: string, problemOf: (value: string) => string | undefined): Check {
  return (value, found) => {
    const problem = isText(value, found) ? problemOf(value) : undefined;
    if (problem !== undefined) refuse(found, [], problem, value, accepted);
  };
}

export const nonEmptyText = textThat("a string that is not empty", (value) =>
  value === "" ? "must not be empty" : undefined,
);

/** A path from "/". */
export const absolutePath = textThat('a path that begins with "/"', (value) =>
  value.startsWith("/") ? undefined : "must be an absolute path",
);

/** As absolutePath; "" is as absent. */
export const absolutePathOrEmpty = textThat('a path that begins with "/"', (value) =>
  value === "" || value.startsWith("/") ? undefined : "must be an absolute path",
);

export function matching(pattern: RegExp, accepted: string): Check {
  return textThat(accepted, (value) => (pattern.test(value) ? undefined : "malformed"));
}

/** One of a few names. */
export function oneOf(names: readonly string[], problem: string): Check {
  const accepted = names.filter((name) => name !== "").join(", ");
  return textThat(accepted, (value) => (names.includes(value) ? undefined : problem));
}

/** An exact integer in a range. */
export function integer(least: number | bigint, most: number | bigint): Check {
  const accepted = `an integer from ${least} to ${most}`;
  return (value, found) => {
    const given = integerOf(value);
    if (given === undefined)
      refuse(found, [], typeof value === "number" ? "not an exact integer" : "wrong type", value, accepted);
    else if (given < least || given > most) refuse(found, [], "out of range", value, accepted);
  };
}

export const uint16 = integer(0, 0xffff);
export const uint32 = integer(0, 0xffffffff);
export const uint64 = integer(0, 0xffffffffffffffffn);
export const int64 = integer(-0x8000000000000000n, 0x7fffffffffffffffn);

/** A list whose items all pass. */
export function list(item: Check): Check {
  return (value, found) => {
    if (!Array.isArray(value)) return refuse(found, [], "wrong type", value, "a list");
    const depth = found.path.push(0) - 1;
    for (let i = 0; i < value.length; i++) {
      found.path[depth] = i;
      item(value[i], found);
    }
    found.path.pop();
  };
}

export const texts = list(text);

/** An object with names of the user's choosing, each checked by `name`, whose values all pass. */
export function record(item: Check, name: Check = text): Check {
  return (value, found) => {
    if (!isObject(value)) return refuse(found, [], "wrong type", value, "an object");
    for (const key of Object.keys(value)) {
      found.path.push(key);
      name(key, found);
      inside(item, value[key], found);
      found.path.pop();
    }
  };
}

/** An object with known names; others are noted, not refused, since config.md "Extensibility" says to ignore them. */
export function object(
  members: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
  rule?: Rule,
): Check {
  const checks = new Map(Object.entries(members));
  const known = Object.keys(members);
  return (value, found) => {
    if (!isObject(value)) return refuse(found, [], "wrong type", value, "an object");
    for (const key of Object.keys(value)) {
      const check = checks.get(key);
      found.path.push(key);
      if (check === undefined) found.unknown.push({ path: [...found.path], known });
      else inside(check, value[key], found);
      found.path.pop();
    }
    for (const key of required)
      if (isAbsent(value, key)) refuse(found, [key], "is required", undefined, "a value");
    rule?.(value, found);
  };
}

function inside(check: Check, value: JsonValue | undefined, found: Findings): void {
  if (value === null || value === undefined) found.nulls = true;
  else check(value, found);
}

/** Whether an object has no member of this name, or null. */
export function isAbsent(value: JsonObject, key: string): boolean {
  return !Object.hasOwn(value, key) || value[key] === null;
}

/** The same value without the object members that are null; what has none is returned as it is. */
export function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
