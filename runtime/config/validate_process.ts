/** config.md "Process" and the sections below it. */
import {
  absolutePath,
  type Check,
  type Findings,
  flag,
  integer,
  integerOf,
  isAbsent,
  list,
  listOf,
  matching,
  object,
  objectOf,
  oneOf,
  type Rule,
  refuse,
  text,
  texts,
  textThat,
  uint16,
  uint32,
  uint64,
  warn,
} from "./check.ts";
import type { JsonValue } from "./json.ts";
import {
  capabilityNumbers,
  hookKinds,
  ioPriorityClasses,
  namesOf,
  rlimitResources,
  schedulerFlags,
  schedulerPolicies,
} from "./names.ts";
import { quote } from "./quote.ts";

/** Unknown names only warn: config.md "Linux Process" asks for that, so that new profiles run on old kernels. */
const capability: Check = (value, found) => {
  text(value, found);
  if (typeof value === "string" && !Object.hasOwn(capabilityNumbers, value))
    warn(found, [], `unknown capability ignored: ${quote(value)}`);
};

const capabilities = list(capability);

const environmentEntry = textThat("NAME=value", (value) => {
  const equals = value.indexOf("=");
  if (equals === -1) return 'invalid environment variable: missing "="';
  return equals === 0 ? "invalid environment variable: name cannot be empty" : undefined;
});

const cwd = textThat('a path that begins with "/"', (value) => {
  if (value === "") return "Cwd property must not be empty";
  return value.startsWith("/") ? undefined : "Cwd must be an absolute path";
});

const cpuList = matching(/^[0-9, -]*$/, 'a list of CPUs such as "0-3,7"');

function isSet(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== 0;
}

/** sched_setattr(2). */
const schedulerRule: Rule = (scheduler, found) => {
  const { policy, priority, runtime, deadline, period } = scheduler;
  const realtime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  if (realtime && (integerOf(priority) ?? 0) === 0)
    refuse(found, ["priority"], `${policy} needs a priority`, priority, "an integer from 1 to 99");
  if (!realtime && isSet(priority))
    refuse(
      found,
      ["priority"],
      "scheduler.priority can only be specified for SchedFIFO or SchedRR policy",
      priority,
      "0, or the policy SCHED_FIFO or SCHED_RR",
    );
  if (policy === "SCHED_DEADLINE") return deadlineRule(scheduler, found);
  for (const key of ["runtime", "deadline", "period"] as const)
    if (isSet({ runtime, deadline, period }[key]))
      refuse(
        found,
        [key],
        "scheduler runtime/deadline/period can only be specified for SchedDeadline policy",
        scheduler[key],
        "0, or the policy SCHED_DEADLINE",
      );
};

/** sched(7): runtime <= deadline <= period; a period of 0 is the deadline. */
const deadlineRule: Rule = ({ runtime, deadline, period }, found) => {
  const [run, until, every] = [integerOf(runtime) ?? 0, integerOf(deadline) ?? 0, integerOf(period) ?? 0];
  if (run > until) refuse(found, ["runtime"], "longer than the deadline", runtime, `at most ${until}`);
  if (every !== 0 && until > every)
    refuse(found, ["deadline"], "longer than the period", deadline, `at most ${every}`);
};

const rlimit = object(
  { type: oneOf(namesOf(rlimitResources), "invalid rlimit type"), soft: uint64, hard: uint64 },
  ["type", "soft", "hard"],
  (limit, found) => {
    const [soft, hard] = [integerOf(limit.soft), integerOf(limit.hard)];
    if (soft !== undefined && hard !== undefined && soft > hard)
      refuse(found, ["soft"], "above the hard limit", soft, `at most ${hard}`);
  },
);

function uniqueRlimits(rlimits: JsonValue | undefined, found: Findings): void {
  const seen = new Set<string>();
  listOf(rlimits).forEach((limit, i) => {
    const { type } = objectOf(limit);
    if (typeof type !== "string") return;
    if (seen.has(type)) refuse(found, ["rlimits", i, "type"], "duplicated rlimit", type, "each type once");
    seen.add(type);
  });
}

const processRule: Rule = (process, found) => {
  if (isAbsent(process, "cwd"))
    refuse(found, ["cwd"], "Cwd property must not be empty", undefined, 'a path that begins with "/"');
  if (isAbsent(process, "args") || (Array.isArray(process.args) && process.args.length === 0))
    refuse(
      found,
      ["args"],
      "args must not be empty",
      process.args ?? undefined,
      "a list of at least one string",
    );
  uniqueRlimits(process.rlimits, found);
};

/** config.md "Process". */
export const checkProcess: Check = object(
  {
    terminal: flag,
    consoleSize: object({ height: uint16, width: uint16 }, ["height", "width"]),
    cwd,
    env: list(environmentEntry),
    args: texts,
    commandLine: text,
    user: object({ uid: uint32, gid: uint32, umask: uint32, additionalGids: list(uint32), username: text }),
    capabilities: object({
      bounding: capabilities,
      effective: capabilities,
      inheritable: capabilities,
      permitted: capabilities,
      ambient: capabilities,
    }),
    rlimits: list(rlimit),
    noNewPrivileges: flag,
    apparmorProfile: text,
    selinuxLabel: text,
    oomScoreAdj: integer(-1000, 1000),
    scheduler: object(
      {
        policy: oneOf(namesOf(schedulerPolicies), "unknown scheduling policy"),
        nice: integer(-20, 19),
        priority: integer(0, 99),
        flags: list(oneOf(namesOf(schedulerFlags), "unknown scheduling flag")),
        runtime: uint64,
        deadline: uint64,
        period: uint64,
      },
      ["policy"],
      schedulerRule,
    ),
    ioPriority: object(
      {
        class: oneOf(namesOf(ioPriorityClasses), "invalid ioPriority.Class"),
        priority: integer(0, 7),
      },
      ["class"],
    ),
    execCPUAffinity: object({ initial: cpuList, final: cpuList }),
  },
  [],
  processRule,
);

/** config.md "POSIX-platform Hooks". */
const hooks = list(
  object({ path: absolutePath, args: texts, env: texts, timeout: integer(1, 0x7fffffff) }, ["path"]),
);

export const checkHooks: Check = object(Object.fromEntries(hookKinds.map((kind) => [kind, hooks])));
