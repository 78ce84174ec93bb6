/** What create and run do before anything of the container exists: read, look at the host, plan, refuse. */

import { asking } from "../../syscalls/asking.ts";
import { ELOOP } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, RESOLVE_NO_SYMLINKS } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, close } from "../../syscalls/open.ts";
import { connectUnix } from "../../syscalls/socket.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { chdir, getcwd } from "../../syscalls/working_directory.ts";
import { readConfig } from "../config/read_config.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { readHostFacts } from "../host/facts.ts";
import { openRdt, type RdtGroups } from "../intel_rdt/groups.ts";
import { type ListenFds, listenFds } from "../parent/listen_fds.ts";
import { withNotifySocket } from "../parent/notify_socket.ts";
import { keepListenFds, keepPreservedFds } from "../parent/preserved_fds.ts";
import { tryResolve } from "../path/resolve.ts";
import { type LaunchPlan, planLaunch } from "../plan/launch.ts";
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

/** A plan, and what of the host it was held against. */
export interface Prepared extends LaunchPlan {
  readonly rdt: RdtGroups | undefined;
  /** Descriptors 3 to 2+N are the user's. */
  readonly userFds: number;
}

/**
 * Goes to the bundle, which is where relative paths and hooks start from, and reads the configuration. The request comes
 * back with the bundle's path as the kernel has it, without links.
 */
export function prepare<R extends CreateRequest>(
  context: RuntimeContext,
  asked: R,
): { readonly request: R; readonly spec: RunnableSpec } {
  chdir(asked.bundle);
  const request = { ...asked, bundle: getcwd() as HostPath };
  const spec = readConfig(request.bundle, context.warn);
  return { request, spec };
}

/** Opens --console-socket, after runc's two refusals of what does not fit together. */
export function openConsoleSocket(
  terminal: boolean,
  path: HostPath | undefined,
  detached: boolean,
): Fd | undefined {
  if (path === undefined) {
    if (!terminal || !detached) return undefined;
    throw new RuntimeError(
      "invalid-argument",
      "cannot allocate tty if runt will detach without setting console socket",
    );
  }
  if (!terminal || !detached) {
    throw new RuntimeError(
      "invalid-argument",
      "cannot use console socket if runt will not detach or allocate tty",
    );
  }
  return connectUnix(path);
}

/** Plans for this host, and refuses what cannot be. Keeps the user's descriptors from being closed by an execve. */
export function prepareLaunch(context: RuntimeContext, request: CreateRequest, spec: RunnableSpec): Prepared {
  requireValidId(request.id);
  const activation = listenFds();
  keepListenFds(activation.count, inheritedDescriptors());
  keepPreservedFds(request.preserveFds, inheritedDescriptors(), 3 + activation.count);
  const facts = readHostFacts(spec, { ...context, environment: callerEnvironment });
  const { plan, warnings } = planLaunch(
    withSockets(context, request, spec, activation),
    spec,
    facts,
    request,
  );
  warnings.forEach(context.warn);
  for (const field of plan.limits.notEnforced) context.debugLog(`${field} has no effect on this host`);
  requireRealRootfs(plan.container.rootfs.path);
  const rdt = openRdt(plan.container.intelRdt);
  return { ...plan, rdt, userFds: activation.count + request.preserveFds };
}

/** A root file system that is or lies behind a link is refused, as by runc: who owns the link would own the root. */
function requireRealRootfs(path: HostPath): void {
  asking("root.path", () => {
    const fd = tryResolve(CWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    if (fd === -ELOOP)
      throw new RuntimeError("invalid-argument", "invalid rootfs: not an absolute path, or a symlink");
    if (failed(fd)) throw OpError.from("invalid rootfs: open", path, -fd);
    close(fd);
  });
}

/** The caller's sockets, as its environment names them; exec is not to inherit them, so they are not recorded. */
function withSockets(
  context: RuntimeContext,
  request: CreateRequest,
  spec: RunnableSpec,
  { env }: ListenFds,
): RunnableSpec {
  const { process } = spec;
  const activated = env.length === 0 ? process : { ...process, env: [...(process.env ?? []), ...env] };
  return withNotifySocket({ ...spec, process: activated }, `${context.root}/${request.id}`);
}
