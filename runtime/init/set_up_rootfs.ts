/** The container's root file system from the host's "/" to its own, in the order of the kernel. */
import { asking } from "../../syscalls/asking.ts";
import { CLONE_NEWNS, CLONE_NEWPID } from "../../syscalls/constants/sched.ts";
import { close } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";
import { askForSource } from "../channel.ts";
import { runHooks } from "../hooks/run.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import { askOrEnd } from "./ask_or_end.ts";
import { createConsole } from "./console.ts";
import type { InitContext } from "./context.ts";
import { createDevices, createDevLinks } from "./devices.ts";
import { mountAll } from "./mount.ts";
import { chooseMountApi, type MountApi } from "./mount_api.ts";
import { moveRoot } from "./no_pivot.ts";
import {
  chrootInto,
  finalizeRootfs,
  makeReadonly,
  makeReadonlyNow,
  maskPaths,
  openRootfs,
  pivotInto,
  prepareOnHost,
  prepareRootfs,
} from "./rootfs.ts";
import { Staging } from "./staging.ts";
import { createCwd } from "./user_program.ts";
/** Everything about the root file system, from the host's "/" to the container's own. */
export function setUpRootfs(context: InitContext, procfs: Fd, callersUmask: number): Fd | undefined {
  const { plan, channel } = context;
  const ownMounts = (plan.namespaces.own & CLONE_NEWNS) !== 0;
  const api = chooseMountApi(new Staging(procfs));
  const needsStaging = api.needsStaging || plan.needsMount2;
  const base = asking("root.path", () => openRoot(api, plan, needsStaging));
  const { root, rootPropagation, readOnlyLater } = mountAll(api, base, plan.mounts, {
    cgroups: context.cgroups,
    askForSource: (mount) => askForSource(channel, mount),
    parentReaches: plan.parentReaches,
    inUserNamespace: plan.inUserNamespace,
    ownPids: (plan.namespaces.own & CLONE_NEWPID) !== 0,
    propagation: plan.mountsOnHost ? [plan.rootfs.hostPropagation] : [],
  });
  if (plan.setUpDev) {
    createDevices(api, root, plan.devices);
    createDevLinks(root);
  }
  const { consoleSocket } = context;
  const slave =
    consoleSocket &&
    asking("process.terminal", () => createConsole(api, root, consoleSocket, plan.process.consoleSize));
  if (context.parentHooks) askOrEnd(channel, "hooks");
  runHooks("createContainer", plan.hooks.createContainer, {
    state: context.stateFor(getpid(), "creating"),
    defaultEnv: () => [],
    directory: root,
    umask: callersUmask,
  });
  createCwd(root, plan.process.cwd);
  makeReadonly(api, root, plan.readonlyPaths);
  maskPaths(api, root, plan.maskedPaths, plan.lsm.mountLabel);
  makeReadonlyNow(api, readOnlyLater);
  asking("root.path", () => {
    // Not as runc, which unmounts the host's /proc and /sys for --no-pivot without a mount namespace.
    if (!ownMounts) chrootInto(root);
    else if (plan.noPivot) moveRoot(api, root, procfs);
    else pivotInto(root);
  });
  if (ownMounts || plan.mountsOnHost) finalizeRootfs(api, root, plan.rootfs, rootPropagation);
  close(root);
  api.staging.close();
  return slave;
}

/** The root file system as a mount of its own, where there is anything to be mounted in it. */
function openRoot(
  api: MountApi,
  { namespaces, rootfs, mountsOnHost }: ContainerPlan,
  needsStaging: boolean,
): Fd {
  if (namespaces.own & CLONE_NEWNS) return prepareRootfs(api, rootfs, needsStaging);
  return mountsOnHost ? prepareOnHost(api, rootfs, needsStaging) : openRootfs(rootfs);
}
