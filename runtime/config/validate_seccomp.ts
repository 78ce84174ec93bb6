/** config-linux.md "Seccomp". */
import {
  absolutePathOrEmpty,
  type Check,
  integer,
  isAbsent,
  list,
  listOf,
  nonEmptyText,
  object,
  objectOf,
  oneOf,
  type Rule,
  refuse,
  text,
  uint32,
  uint64,
} from "./check.ts";
import { namesOf, seccompActions, seccompArchitectures, seccompFlags, seccompOperators } from "./names.ts";

const action = oneOf(namesOf(seccompActions), "unknown seccomp action");

/** "When the action doesn't support an errno, the runtime MUST print and error and fail." */
function errnoRule(actionKey: string, errnoKey: string): Rule {
  return (rule, found) => {
    const chosen = rule[actionKey];
    const takesErrno = chosen === "SCMP_ACT_ERRNO" || chosen === "SCMP_ACT_TRACE";
    if (isAbsent(rule, errnoKey) || typeof chosen !== "string" || takesErrno) return;
    refuse(
      found,
      [errnoKey],
      `${chosen} does not take an errno`,
      rule[errnoKey],
      "SCMP_ACT_ERRNO or SCMP_ACT_TRACE",
    );
  };
}

const argument = object(
  {
    index: integer(0, 5),
    value: uint64,
    valueTwo: uint64,
    op: oneOf(namesOf(seccompOperators), "unknown seccomp operator"),
  },
  ["index", "value", "op"],
);

const callErrno = errnoRule("action", "errnoRet");

const call = object(
  { names: list(nonEmptyText), action, errnoRet: uint32, args: list(argument) },
  ["names", "action"],
  (rule, found) => {
    callErrno(rule, found);
    if (Array.isArray(rule.names) && rule.names.length === 0)
      refuse(found, ["names"], "must not be empty", rule.names, "the name of at least one system call");
    if (rule.action === "SCMP_ACT_NOTIFY" && listOf(rule.names).includes("write"))
      // The runtime could not write to the socket over which it passes the listener on.
      refuse(
        found,
        ["names"],
        "SCMP_ACT_NOTIFY cannot be used for the write syscall",
        "write",
        "other calls",
      );
  },
);

const defaultErrno = errnoRule("defaultAction", "defaultErrnoRet");

const listenerRule: Rule = (seccomp, found) => {
  const noListener = isAbsent(seccomp, "listenerPath") || seccomp.listenerPath === "";
  if (seccomp.defaultAction === "SCMP_ACT_NOTIFY")
    refuse(
      found,
      ["defaultAction"],
      "SCMP_ACT_NOTIFY cannot be used as default action",
      "SCMP_ACT_NOTIFY",
      "another action",
    );
  if (!noListener) return;
  const notifies = listOf(seccomp.syscalls).some((rule) => objectOf(rule).action === "SCMP_ACT_NOTIFY");
  if (notifies)
    refuse(
      found,
      ["listenerPath"],
      "SCMP_ACT_NOTIFY needs a listener",
      undefined,
      "the path of the agent's socket",
    );
  if (!isAbsent(seccomp, "listenerMetadata") && seccomp.listenerMetadata !== "")
    refuse(
      found,
      ["listenerMetadata"],
      "set without listenerPath",
      seccomp.listenerMetadata,
      "nothing, or a listenerPath as well",
    );
};

export const checkSeccomp: Check = object(
  {
    defaultAction: action,
    defaultErrnoRet: uint32,
    architectures: list(oneOf(namesOf(seccompArchitectures), "unknown seccomp architecture")),
    flags: list(oneOf(namesOf(seccompFlags), "unknown seccomp flag")),
    listenerPath: absolutePathOrEmpty,
    listenerMetadata: text,
    syscalls: list(call),
  },
  ["defaultAction"],
  (seccomp, found) => {
    defaultErrno(seccomp, found);
    listenerRule(seccomp, found);
  },
);
