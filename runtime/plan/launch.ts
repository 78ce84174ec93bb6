/** The plan of a container that is about to be made: of what is in it, of its cgroup, and how its process enters that. */
import { CLONE_NEWCGROUP, CLONE_NEWPID } from "../../syscalls/constants/sched.ts";
import type { RunnableSpec } from "../config/types.ts";
import { type CgroupEntry, planCgroupEntry } from "./cgroup/entry.ts";
import { cgroupVersion } from "./cgroup/hierarchies.ts";
import { planCgroupOwner } from "./cgroup/owner.ts";
import { type CgroupPlace, planCgroupPlace } from "./cgroup/place.ts";
import { type CgroupPlan, planCgroupResources } from "./cgroup/resources.ts";
import { type CgroupView, cgroupView } from "./cgroup/view.ts";
import type { HostFacts } from "./host_facts.ts";
import type { NamespacePlan } from "./namespaces.ts";
import { type ContainerPlan, type PlanOptions, planContainer } from "./plan.ts";

/** What was decided. */
export interface LaunchPlan {
  readonly container: ContainerPlan;
  readonly cgroup: CgroupPlace;
  readonly limits: CgroupPlan;
  readonly entry: CgroupEntry;
  /** What mounts of type "cgroup" show. */
  readonly view: CgroupView;
  /** There are hooks for the runtime to run when the mounts are done. */
  readonly parentHooks: boolean;
  readonly order: InitOrder;
}

/** What in the order of the init process's steps depends on the configuration. */
export interface InitOrder {
  /**
   * It enters its cgroups at once: a cgroup namespace has for its root the cgroup that the process is in
   * (cgroup_namespaces(7)), hooks look it up there, and what systemd makes is not there before. Else it joins last, when
   * it needs least.
   */
  readonly joinsEarly: boolean;
  /** Which CPUs and nodes the process may use is its cgroup's to say before a scheduler or a memory policy. */
  readonly cgroupsBeforeScheduling: boolean;
}

/**
 * Plans for this host, and refuses what cannot be. `recorded` is the configuration as it is kept, `spec` the same with
 * what the caller's environment adds for the first process. Warnings are for the log.
 */
export function planLaunch(
  spec: RunnableSpec,
  recorded: RunnableSpec,
  host: HostFacts,
  options: PlanOptions,
): { readonly plan: LaunchPlan; readonly warnings: readonly string[] } {
  const { plan: container, warnings } = planContainer(spec, host, options);
  const { hooks, namespaces } = container;
  const { cgroupsPath, resources } = recorded.linux ?? {};
  const { id } = options;
  const cgroup = planCgroupPlace(
    { id, cgroupsPath, annotations: recorded.annotations },
    host.cgroups,
    host.systemd,
    host.cgroupRights,
  );
  const driver = cgroup.systemd === undefined ? "cgroupfs" : "systemd";
  const hasDevices = host.cgroupRights === undefined || "devices" in cgroup.paths || "" in cgroup.paths;
  const setDevices = host.euid === 0 && !host.inUserNamespace && hasDevices;
  const facts = { version: cgroupVersion(host.cgroups), driver, setDevices } as const;
  const parentHooks = (hooks.prestart?.length ?? 0) + (hooks.createRuntime?.length ?? 0) > 0;
  const hooksLook = parentHooks || (hooks.createContainer?.length ?? 0) > 0;
  const early = { namespace: (namespaces.create & CLONE_NEWCGROUP) !== 0, hooks: hooksLook };
  const plan = {
    container,
    cgroup,
    limits: { ...planCgroupResources(resources, facts), owner: planCgroupOwner(recorded) },
    entry: planCgroupEntry(host.cgroups, cgroup.paths, resources?.memory?.limit, early, driver),
    view: cgroupView(host.cgroups, cgroup.paths, namespaces.own),
    parentHooks,
    order: {
      joinsEarly: early.namespace || early.hooks || driver === "systemd",
      cgroupsBeforeScheduling:
        container.process.scheduler !== undefined || container.memoryPolicy !== undefined,
    },
  };
  return { plan, warnings: [...warnings, ...withoutCgroup(cgroup, namespaces)] };
}

/** The words are runc's. */
function withoutCgroup({ paths }: CgroupPlace, { create }: NamespacePlan): string[] {
  if (Object.keys(paths).length > 0 || create & CLONE_NEWPID) return [];
  return [
    "Creating a rootless container with no cgroup and no private pid namespace. Such configuration is strongly discouraged (as it is impossible to properly kill all container's processes)",
  ];
}
