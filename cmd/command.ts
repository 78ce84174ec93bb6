/** What a command file exports. `command` ties the option table to the types that `run` gets. */
import type { RuntimeContext } from "../runtime/context.ts";
import { checkCount, type OptionTable, type OptionValues, readArgv } from "./options.ts";

interface Words {
  /** The arguments as shown in the usage line, such as "<container-id> [signal]". */
  readonly operands: string;
  readonly min: number;
  readonly max: number;
  /** Options end at the first other word; "--" right behind that one is dropped, as `exec ID -- CMD` has it. */
  readonly flagsFirst?: boolean;
  /** Puts what people type, but the table does not have, in its words, such as the `-9` of kill. */
  rewrite?(argv: readonly string[]): readonly string[];
  /** What help says below the usage line. */
  readonly description: string;
  /** Command lines without the program's name, and what each does. */
  readonly examples?: readonly Example[];
}

export type Example = readonly [line: string, does: string];

/** The exit code, or nothing for 0. */
type Outcome = number | undefined;

interface Definition<T extends OptionTable> extends Words {
  readonly options: T;
  /** Does it. The words are as many as min and max allow. */
  run(context: RuntimeContext, options: OptionValues<T>, ...operands: string[]): Outcome;
}

/** A command line that has been understood. */
export interface Ready {
  readonly help: boolean;
  run(context: RuntimeContext): Outcome;
}

export interface Command extends Words {
  readonly options: OptionTable;
  /** Reads and checks the words after the command's name, touching nothing. */
  prepare(program: string, name: string, argv: readonly string[]): Ready;
}

export function command<const T extends OptionTable>(definition: Definition<T>): Command {
  const { options: table, min, max, flagsFirst = false, rewrite } = definition;
  return {
    ...definition,
    prepare(program, name, argv) {
      const { options, args: words, help } = readArgv(table, rewrite?.(argv) ?? argv, flagsFirst);
      const args = flagsFirst && words[1] === "--" ? words.toSpliced(1, 1) : words;
      if (!help) checkCount(program, name, args.length, min, max);
      return { help, run: (context) => definition.run(context, options, ...args) };
    },
  };
}
