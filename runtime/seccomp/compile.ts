/** From a planned profile to a filter program, by libseccomp; in the parent only, before the fork. */
import { __NR_SCMP_ERROR, type Libseccomp, NameTable, openLibseccomp } from "../../syscalls/libseccomp.ts";
import { BPF_MAXINSNS } from "../../syscalls/seccomp.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { ArchitecturePlan, ProgramPlan } from "../plan/seccomp.ts";
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
  const names = table.addresses();
  const [native, ...others] = plan.architectures;
  if (native === undefined) throw new RuntimeError("unsupported", "linux.seccomp: no native architecture");
  const numbers = resolveAll(seccomp, names, native.token);
  for (const name of new Set(plan.rules.map((rule) => rule.name)))
    if (!numbers.has(name)) debugLog(`unknown seccomp syscall ${JSON.stringify(name)} ignored`);
  const compile = (architecture: ArchitecturePlan): ArchitectureProgram => {
    const own = architecture === native ? numbers : resolveAll(seccomp, names, architecture.token);
    const newest = plan.newerIsENOSYS ? newestOf(own) : undefined;
    const { token } = architecture;
    const program = compileOne({ seccomp, plan, architecture, native: native.token, numbers, own });
    return { token, program, newest };
  };
  // The native one last: it knows what to do with numbers and architectures that are nobody's.
  const program = joinPrograms([...others, native].map(compile));
  if (program.length / 8 <= BPF_MAXINSNS) return program;
  const size = `${program.length / 8} instructions, of ${BPF_MAXINSNS} that the kernel takes`;
  throw new RuntimeError("invalid-argument", `linux.seccomp: the profile is too large: ${size}`);
}

type Numbers = ReadonlyMap<string, number>;

/** The numbers of the names that the library knows; pseudo numbers, negative, of calls of other architectures. */
function resolveAll(seccomp: Libseccomp, names: ReadonlyMap<string, number>, architecture: number): Numbers {
  const numbers = new Map<string, number>();
  for (const [name, address] of names) {
    const number = seccomp.resolve(architecture, address);
    if (number !== __NR_SCMP_ERROR) numbers.set(name, number);
  }
  return numbers;
}

function newestOf(numbers: Numbers): number | undefined {
  let newest = 0;
  for (const number of numbers.values()) newest = Math.max(newest, number);
  return newest === 0 ? undefined : newest;
}

interface Compilation {
  readonly seccomp: Libseccomp;
  readonly plan: ProgramPlan;
  readonly architecture: ArchitecturePlan;
  readonly native: number;
  /** As the native architecture numbers them, which is what rules are given in. */
  readonly numbers: Numbers;
  /** As this architecture does. */
  readonly own: Numbers;
}

function compileOne({ seccomp, plan, architecture, native, numbers, own }: Compilation): Uint8Array {
  // libseccomp keeps a list sorted by number and walks it at each addition: the largest first makes that one step.
  // The sort is stable, so rules on the same call stay in their order, which matters.
  const order = (name: string): number => own.get(name) ?? __NR_SCMP_ERROR;
  const rules = plan.rules.toSorted((a, b) => order(b.name) - order(a.name));
  const filter = withField(architecture.from, () =>
    seccomp.filter(plan.defaultAction, architecture.token, native),
  );
  try {
    if (plan.preferTree) filter.preferTree();
    for (const { name, action, conditions, from } of rules) {
      const number = numbers.get(name);
      if (number !== undefined) withField(from, () => filter.add(action, number, conditions, name));
    }
    return withField(architecture.from, () => filter.exportProgram());
  } finally {
    filter.release();
  }
}
