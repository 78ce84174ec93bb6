/**
 * Seccomp (config-linux.md "Seccomp"). What launch needs at once is planned at once; what only a compilation needs,
 * `planSeccompProgram` makes when there is no compiled program at hand. Where the specification is silent, as runc.
 */
import { ENOSYS, EPERM } from "../../../syscalls/constants/errno.ts";
import * as S from "../../../syscalls/constants/seccomp.ts";
import type { SpecField } from "../../../syscalls/types.ts";
import { field } from "../../config/field.ts";
import {
  bitsOf,
  numberOf,
  seccompActions,
  seccompArchitectures,
  seccompFlags,
  seccompOperators,
} from "../../config/names.ts";
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction } from "../../config/types.ts";
import { RuntimeError } from "../../errors.ts";

/** The process to which SCMP_ACT_NOTIFY hands system calls. */
export interface SeccompListener {
  readonly path: string;
  readonly metadata: string;
}

/** How a filter is loaded, and from what it is compiled. */
export interface SeccompPlan {
  readonly config: LinuxSeccomp;
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
  /** Who gets the listener's descriptor; undefined when no rule has SCMP_ACT_NOTIFY. */
  readonly listener: SeccompListener | undefined;
}

/** One comparison of an argument, as libseccomp takes it. */
export interface ConditionPlan {
  readonly index: number;
  readonly op: number;
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/** What happens to one system call when all conditions hold. */
export interface RulePlan {
  readonly name: string;
  readonly action: number;
  readonly conditions: readonly ConditionPlan[];
  readonly from: SpecField;
}

/** An architecture by libseccomp's token (SCMP_ARCH_*), which but for x32 is the kernel's AUDIT_ARCH_*. */
export interface ArchitecturePlan {
  readonly token: number;
  readonly from: SpecField;
}

/** What a filter program is compiled from. */
export interface SeccompProgramPlan {
  readonly defaultAction: number;
  /** The native one first. */
  readonly architectures: readonly [ArchitecturePlan, ...ArchitecturePlan[]];
  readonly rules: readonly RulePlan[];
  /** Every name in the profile, also of rules that say nothing new: the newest bounds what the profile knew. */
  readonly names: readonly string[];
  /** System calls newer than the newest name get ENOSYS, so that programs fall back as on an old kernel. */
  readonly newerIsENOSYS: boolean;
}

/** The name that a profile has for an architecture, or its token in hexadecimal. */
export function architectureName(token: number): string {
  const named = Object.entries(seccompArchitectures).find(([, known]) => known === token);
  return named?.[0] ?? `0x${token.toString(16)}`;
}

/** Plans how the filter is loaded; undefined without a profile. */
export function planSeccomp(config: LinuxSeccomp | undefined): SeccompPlan | undefined {
  if (config === undefined || config === null) return undefined;
  const notifies = config.syscalls?.some(({ action }) => action === "SCMP_ACT_NOTIFY") ?? false;
  // As runc (specconv/spec_linux.go, SetupSeccomp): absent flags are SPEC_ALLOW, an empty list is none.
  const names = config.flags ?? ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"];
  // The filter is loaded by the only thread there is: nothing to synchronise, and it excludes a listener.
  const flags = bitsOf(seccompFlags, names) & ~S.SECCOMP_FILTER_FLAG_TSYNC;
  if (flags & S.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !notifies) {
    const at = `${field("linux", "seccomp", "flags")}: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`;
    throw new RuntimeError("invalid-argument", `${at} needs a rule with SCMP_ACT_NOTIFY`);
  }
  if (!notifies) return { config, flags, listener: undefined };
  const listener = { path: config.listenerPath ?? "", metadata: config.listenerMetadata ?? "" };
  return { config, flags: flags | S.SECCOMP_FILTER_FLAG_NEW_LISTENER, listener };
}

/** Plans what the program does, on a machine of the given native architecture. */
export function planSeccompProgram(config: LinuxSeccomp, native: string): SeccompProgramPlan {
  const syscalls = config.syscalls ?? [];
  const defaultAction = actionOf(config.defaultAction, config.defaultErrnoRet);
  const rules = syscalls.flatMap((syscall, i) => rulesOf(syscall, defaultAction, i));
  const names = syscalls.flatMap((syscall) => syscall.names);
  return {
    defaultAction,
    architectures: architecturesOf(config, native),
    rules,
    names,
    newerIsENOSYS: !permissive.has(config.defaultAction) && config.defaultErrnoRet !== ENOSYS,
  };
}

/** Default actions that let a new system call happen; a tracer is expected to say ENOSYS by itself. */
const permissive: ReadonlySet<SeccompAction> = new Set(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]);

function actionOf(action: SeccompAction, errno: number | undefined): number {
  const takesErrno = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return takesErrno ? seccompActions[action] | ((errno ?? EPERM) & 0xffff) : seccompActions[action];
}

/** libseccomp refuses rules that equal the default action; they say nothing and are left out. */
function rulesOf(
  { names, action, errnoRet, args }: LinuxSyscall,
  defaultAction: number,
  i: number,
): RulePlan[] {
  const number = actionOf(action, errnoRet);
  if (number === defaultAction) return [];
  const alternatives = alternativesOf(args ?? []);
  const from = field("linux", "seccomp", "syscalls", i);
  return names.flatMap((name) =>
    alternatives.map((conditions) => ({ name, action: number, conditions, from })),
  );
}

/**
 * All conditions must hold, but libseccomp takes at most one on each argument: where two are on the same, each
 * condition becomes a rule of its own, of which any suffices, as profiles written for runc expect.
 */
function alternativesOf(args: readonly LinuxSeccompArg[]): ConditionPlan[][] {
  const conditions = args.map(({ index, op, value, valueTwo }) => ({
    index,
    op: seccompOperators[op],
    value: BigInt(value),
    valueTwo: BigInt(valueTwo ?? 0),
  }));
  const distinct = new Set(conditions.map(({ index }) => index)).size === conditions.length;
  return distinct ? [conditions] : conditions.map((condition) => [condition]);
}

function architecturesOf(
  { architectures = [] }: LinuxSeccomp,
  name: string,
): readonly [ArchitecturePlan, ...ArchitecturePlan[]] {
  const native = { token: numberOf(seccompArchitectures, name) ?? 0, from: field("linux", "seccomp") };
  const named = (architectures ?? []).map((other, i) => ({
    token: numberOf(seccompArchitectures, other) ?? 0,
    from: field("linux", "seccomp", "architectures", i),
  }));
  const once = named.filter(({ token }, i) => named.findIndex((other) => other.token === token) === i);
  return [native, ...once.filter(({ token }) => token !== native.token)];
}
