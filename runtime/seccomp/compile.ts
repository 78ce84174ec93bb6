/** From a planned profile to a filter program, by libseccomp; in the parent only, before the fork. */
import { OpError } from "../../syscalls/error.ts";
import { type Filter, NameTable, openLibseccomp } from "../../syscalls/libseccomp.ts";
import { BPF_MAXINSNS } from "../../syscalls/seccomp.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { ArchitecturePlan, ProgramPlan, RulePlan } from "../plan/seccomp.ts";
import { type ArchitectureProgram, joinPrograms } from "../plan/seccomp_program.ts";
import { withField } from "./library.ts";

/** Compiles the program; names that the library does not know are told and left out, as by runc. */
export function compileProgram(
  plan: ProgramPlan,
  library: HostPath,
  debugLog: (message: string) => void,
): Uint8Array {
  const seccomp = openLibseccomp(library);
  const table = new NameTable(plan.names);
  const [native, ...others] = plan.architectures;
  if (native === undefined) throw new RuntimeError("unsupported", "linux.seccomp: no native architecture");
  const numbers = seccomp.resolve(native.token, table);
  for (const name of table.names)
    if (!numbers.has(name)) debugLog(`unknown seccomp syscall ${JSON.stringify(name)} ignored`);
  const rules = numbered(plan.rules, numbers);
  const compile = (architecture: ArchitecturePlan): ArchitectureProgram => {
    const own = architecture === native ? numbers : seccomp.resolve(architecture.token, table);
    const filter = withField(architecture.from, () =>
      seccomp.filter(plan.defaultAction, architecture.token, native.token),
    );
    try {
      if (plan.preferTree && architecture === native) filter.preferTree();
      const program = withField(architecture.from, () => fill(filter, rules));
      return { token: architecture.token, program, newest: plan.newerIsENOSYS ? newestOf(own) : undefined };
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

type Numbers = ReadonlyMap<string, number>;

/** The largest number; pseudo numbers, negative, are of calls that only other architectures have. */
function newestOf(numbers: Numbers): number | undefined {
  let newest = 0;
  for (const number of numbers.values()) newest = Math.max(newest, number);
  return newest === 0 ? undefined : newest;
}

interface NumberedRule extends RulePlan {
  /** As the native architecture numbers it, which is what rules are given in. */
  readonly number: number;
}

/**
 * The rules on calls that the library knows, the largest number first: it keeps a sorted list and walks it at each
 * addition, which is then one step. The sort is stable, as the order of rules on the same call matters.
 */
function numbered(rules: readonly RulePlan[], numbers: Numbers): NumberedRule[] {
  const known: NumberedRule[] = [];
  for (const rule of rules) {
    const number = numbers.get(rule.name);
    if (number !== undefined) known.push({ ...rule, number });
  }
  return known.sort((a, b) => b.number - a.number);
}

function fill(filter: Filter, rules: readonly NumberedRule[]): Uint8Array {
  for (const { name, action, number, conditions, from } of rules) {
    try {
      filter.add(action, number, conditions, name);
    } catch (error) {
      throw error instanceof OpError ? error.askedBy(from) : error;
    }
  }
  return filter.exportProgram();
}
