/** What launch does, decided before anything of the container exists: the plan, its cgroup and the limits in there. */
import { capget } from "../../syscalls/capability.ts";
import { ELOOP } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, RESOLVE_NO_SYMLINKS } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD, close } from "../../syscalls/open.ts";
import type { Fd, HostPath, SpecField } from "../../syscalls/types.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import { cgroupVersion, planCgroup } from "../cgroup/open.ts";
import { findSystemd } from "../cgroup/systemd_place.ts";
import type { Int, RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { readLsmFacts } from "../host/lsm.ts";
import { inUserNamespace } from "../host/user_namespace.ts";
import { openRdt, type RdtGroups } from "../intel_rdt/groups.ts";
import { type ListenFds, listenFds } from "../parent/listen_fds.ts";
import { withNotifySocket } from "../parent/notify_socket.ts";
import { keepListenFds, keepPreservedFds } from "../parent/preserved_fds.ts";
import { tryResolve } from "../path/resolve.ts";
import { planCgroupOwner } from "../plan/cgroup/owner.ts";
import { type CgroupPlan, planCgroupResources } from "../plan/cgroup/resources.ts";
import type { CgroupLayout } from "../plan/cgroup/types.ts";
import { asksForLsm } from "../plan/lsm.ts";
import { type ContainerPlan, planContainer } from "../plan/plan.ts";
import { callerEnvironment, inheritedDescriptors } from "../self/seal.ts";
import { requireValidId } from "../state/container_id.ts";

/** What create and run are asked for on the command line; paths are absolute. */
export interface CreateRequest {
  readonly id: string;
  readonly bundle: HostPath;
  readonly consoleSocket?: HostPath | undefined;
  readonly pidfdSocket?: HostPath | undefined;
  readonly pidFile?: HostPath | undefined;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly preserveFds: number;
}

/** What was decided; nothing of it has been made. */
export interface LaunchPlan {
  readonly plan: ContainerPlan;
  readonly layout: CgroupLayout;
  readonly cgroup: CgroupManager;
  /** The writes, and the memory limit in bytes, by which the init process decides when to join. */
  readonly limits: { readonly plan: CgroupPlan; readonly memory: Int | undefined };
  readonly rdt: RdtGroups | undefined;
  /** Descriptors 3 to 2+N are the user's. */
  readonly userFds: number;
}

/** Plans for this host, and refuses what cannot be. Keeps the user's descriptors from being closed by an execve. */
export function planLaunch(context: RuntimeContext, request: CreateRequest, spec: RunnableSpec): LaunchPlan {
  requireValidId(request.id);
  const activation = listenFds();
  keepListenFds(activation.count, inheritedDescriptors());
  keepPreservedFds(request.preserveFds, inheritedDescriptors(), 3 + activation.count);
  const lsm = asksForLsm(spec) ? readLsmFacts() : { apparmor: false, selinux: false };
  const host = { euid: geteuid(), capabilities: capget().permitted, lsm };
  const { plan, warnings } = planContainer(withGifts(context, request, spec, activation), host, request);
  warnings.forEach(context.warn);
  requireRealRootfs(plan.rootfs.path);
  const layout = detectCgroups();
  const systemd = context.systemdCgroup ? findSystemd(context.rootless, callerEnvironment()) : undefined;
  const { cgroupsPath, resources } = spec.linux ?? {};
  const cgroup = planCgroup({ id: request.id, cgroupsPath, annotations: spec.annotations }, layout, systemd);
  const facts = {
    version: cgroupVersion(layout),
    driver: cgroup.driver,
    setDevices: !inUserNamespace(),
  } as const;
  const limits = {
    plan: { ...planCgroupResources(resources, facts), owner: planCgroupOwner(spec) },
    memory: resources?.memory?.limit,
  };
  for (const field of limits.plan.notEnforced) context.debugLog(`${field} has no effect on this host`);
  const rdt = openRdt(plan.intelRdt);
  return { plan, layout, cgroup, limits, rdt, userFds: activation.count + request.preserveFds };
}

/** A root file system that is or lies behind a link is refused, as by runc: who owns the link would own the root. */
function requireRealRootfs(path: HostPath): void {
  const fd = tryResolve(CWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (fd === -ELOOP)
    throw new RuntimeError("invalid-argument", "invalid rootfs: not an absolute path, or a symlink");
  if (fd < 0) throw OpError.from("invalid rootfs: open", path, -fd).askedBy("root.path" as SpecField);
  close(fd as Fd);
}

/** What the caller's environment adds to the configuration; exec is not to inherit it, so it is not recorded. */
function withGifts(
  context: RuntimeContext,
  request: CreateRequest,
  spec: RunnableSpec,
  { env }: ListenFds,
): RunnableSpec {
  const { process } = spec;
  const activated = env.length === 0 ? process : { ...process, env: [...(process.env ?? []), ...env] };
  return withNotifySocket({ ...spec, process: activated }, `${context.root}/${request.id}`);
}
