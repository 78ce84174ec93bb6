import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../syscalls/types.ts";
import type { Hooks, Linux, Process, RunnableSpec } from "../config/types.ts";
import { planExec } from "./exec.ts";
import type { HostFacts } from "./host_facts.ts";
import { planLaunch } from "./launch.ts";

const order = suite("planLaunch");

const host: HostFacts = {
  euid: 0,
  egid: 0,
  inUserNamespace: false,
  capabilities: 0n,
  lsm: { apparmor: false, selinux: false },
  cgroups: { kind: "v2", hierarchies: [] },
  cgroupRights: undefined,
  systemd: undefined,
};
const options = { id: "c1", bundle: "/bundle" as HostPath, noPivot: false, noNewKeyring: false };

function specOf(process: Partial<Process>, linux: Linux = {}, hooks: Hooks = {}): RunnableSpec {
  const whole = { cwd: "/", args: ["sh"], ...process };
  return { ociVersion: "1.2.0", root: { path: "r" }, process: whole, linux, hooks } as RunnableSpec;
}

const orderOf = (process: Partial<Process>, linux?: Linux, hooks?: Hooks) => {
  const spec = specOf(process, linux, hooks);
  return planLaunch(spec, spec, host, options).plan.order;
};

order("with nothing that asks for more the cgroups are entered last", () => {
  assert.equal(orderOf({}), { joinsEarly: false, cgroupsBeforeScheduling: false });
});

order("a cgroup namespace and hooks that look there want them early, hooks after that do not", () => {
  const hook = [{ path: "/bin/true" }];
  assert.is(orderOf({}, { namespaces: [{ type: "cgroup" }] }).joinsEarly, true);
  for (const kind of ["prestart", "createRuntime", "createContainer"])
    assert.is(orderOf({}, {}, { [kind]: hook }).joinsEarly, true, kind);
  assert.is(orderOf({}, {}, { startContainer: hook, poststart: hook }).joinsEarly, false);
});

order("a scheduler and a memory policy come after the cgroups", () => {
  assert.is(orderOf({ scheduler: { policy: "SCHED_BATCH" } }).cgroupsBeforeScheduling, true);
  const memoryPolicy = { mode: "MPOL_LOCAL", nodes: "" } as const;
  assert.is(orderOf({}, { memoryPolicy }).cgroupsBeforeScheduling, true);
});

const filter = suite("who loads the filter");

const seccomp = { defaultAction: "SCMP_ACT_ALLOW" } as const;
const notifying = {
  ...seccomp,
  listenerPath: "/run/agent",
  syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
} as const;
const ptrace = { capabilities: { bounding: ["CAP_SYS_PTRACE"] } };

function execOf(container: Partial<Process>, process: Partial<Process>, linux: Linux) {
  const spec = specOf(container, linux);
  const facts = { ...host, cgroupPaths: {}, subCgroups: [], smallLimits: false, cgroupOfInit: undefined };
  const { plan } = planExec(spec, specOf(process).process, facts);
  return [plan.filterNeedsSysAdmin, plan.loadsBeforeFork];
}

filter("without no_new_privs it takes CAP_SYS_ADMIN", () => {
  assert.equal(execOf({}, {}, {}), [false, false]);
  assert.equal(execOf({}, {}, { seccomp }), [true, false]);
  assert.equal(execOf({}, { noNewPrivileges: true }, { seccomp }), [false, false]);
});

filter("where somebody may trace the process, before the fork, unless it notifies", () => {
  assert.equal(execOf(ptrace, {}, { seccomp }), [true, true]);
  assert.equal(execOf({}, ptrace, { seccomp }), [true, true]);
  assert.equal(execOf(ptrace, { noNewPrivileges: true }, { seccomp }), [false, false]);
  assert.equal(execOf(ptrace, {}, { seccomp: notifying }), [true, false]);
});

order.run();
filter.run();
