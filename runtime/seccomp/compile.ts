/** From a planned profile to a filter program, by libseccomp; in the parent only, before the fork. */

import { asking } from "../../syscalls/asking.ts";
import {
  __NR_SCMP_ERROR,
  SECCOMP_RET_ACTION,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
} from "../../syscalls/constants/seccomp.ts";
import { type Filter, makeFilter, NameTable, resolveNames } from "../../syscalls/libseccomp.ts";
import { BPF_MAXINSNS } from "../../syscalls/seccomp.ts";
import { RuntimeError } from "../errors.ts";
import {
  type ArchitecturePlan,
  architectureName,
  type RulePlan,
  type SeccompProgramPlan,
} from "../plan/seccomp/filter.ts";
import { type ArchitectureProgram, joinPrograms } from "../plan/seccomp/program.ts";
import type { Answers } from "../plan/seccomp/tree.ts";

/** Compiles the program; names that the library does not know are told and left out, as by runc. */
export function compileProgram(plan: SeccompProgramPlan, debugLog: (message: string) => void): Uint8Array {
  const table = new NameTable(plan.names);
  const [native, ...others] = plan.architectures;
  const numbers = resolveNames(native.token, table);
  const rules = numbered(plan.rules, table, numbers, debugLog);
  const compile = (architecture: ArchitecturePlan): ArchitectureProgram => {
    const own = architecture === native ? numbers : resolveNames(architecture.token, table);
    const { answers, rest } = divide(rules, own);
    const filter = asking(architecture.from, () =>
      makeFilter(plan.defaultAction, architecture.token, native.token, architectureName(architecture.token)),
    );
    try {
      const program = asking(architecture.from, () => fill(filter, rest));
      const newest = plan.newerIsENOSYS ? newestOf(own) : undefined;
      return { token: architecture.token, answers, program, newest };
    } finally {
      filter.release();
    }
  };
  // The native one last: it knows what to do with numbers and architectures that are nobody's.
  const program = joinPrograms([...others, native].map(compile));
  if (program.length / 8 <= BPF_MAXINSNS) return program;
  const size = `${program.length / 8} instructions, of ${BPF_MAXINSNS} that the kernel takes`;
  throw new RuntimeError("invalid-argument", `linux.seccomp: the profile is too large: ${size}`);
}

/** The largest number; negative ones are of calls that only other architectures have. */
function newestOf(numbers: Int32Array): number | undefined {
  const newest = numbers.reduce((most, number) => Math.max(most, number), 0);
  return newest === 0 ? undefined : newest;
}

interface NumberedRule extends RulePlan {
  /** Of its name in the table. */
  readonly index: number;
  /** As the native architecture numbers it, which is what libseccomp takes. */
  readonly number: number;
}

/** The rules on calls that the library knows. */
function numbered(
  rules: readonly RulePlan[],
  { names }: NameTable,
  numbers: Int32Array,
  debugLog: (message: string) => void,
): NumberedRule[] {
  const indices = new Map<string, number>();
  names.forEach((name, index) => {
    if (numbers[index] !== __NR_SCMP_ERROR) indices.set(name, index);
    else debugLog(`unknown seccomp syscall ${JSON.stringify(name)} ignored`);
  });
  const known: NumberedRule[] = [];
  for (const rule of rules) {
    const index = indices.get(rule.name);
    if (index !== undefined) known.push({ ...rule, index, number: numbers[index] ?? __NR_SCMP_ERROR });
  }
  return known;
}

/** seccomp.h, "pseudo syscall definitions": from here down they are of calls that the architecture does not have. */
const PNR_NOT_HERE = -10000;

/** Rules on these bear on those that stand for their argument: socket(2), msgget(2) and their like on i386. */
const multiplexers: ReadonlySet<string> = new Set(["socketcall", "ipc"]);

/**
 * Which rules are one answer to one number of this architecture, and which are left to libseccomp: those with
 * conditions, several on one number, and those on calls that stand for an argument of another call, or on that.
 * On calls that the architecture does not have there is nothing to say.
 */
function divide(
  rules: readonly NumberedRule[],
  numbers: Int32Array,
): { readonly answers: Answers; readonly rest: readonly NumberedRule[] } {
  const answers = new Map<number, number>();
  const rest: NumberedRule[] = [];
  const seen = new Set<number>();
  const several = new Set<number>();
  for (const { index } of rules) {
    const number = numbers[index] ?? __NR_SCMP_ERROR;
    (seen.has(number) ? several : seen).add(number);
  }
  for (const rule of rules) {
    const number = numbers[rule.index] ?? __NR_SCMP_ERROR;
    if (number <= PNR_NOT_HERE || number === __NR_SCMP_ERROR) continue;
    const alone = number >= 0 && !several.has(number) && !multiplexers.has(rule.name);
    if (alone && isAnswer(rule)) answers.set(number, rule.action);
    else rest.push(rule);
  }
  return { answers, rest };
}

/** Allowed or refused whatever the arguments; other actions are the library's to know, as some kernels lack them. */
function isAnswer({ action, conditions }: RulePlan): boolean {
  const refused = (action & SECCOMP_RET_ACTION) === SECCOMP_RET_ERRNO;
  return conditions.length === 0 && (action === SECCOMP_RET_ALLOW || refused);
}

function fill(filter: Filter, rules: readonly NumberedRule[]): Uint8Array {
  for (const { name, action, number, conditions, from } of rules) {
    asking(from, () => filter.add(action, number, conditions, name));
  }
  return filter.exportProgram();
}
