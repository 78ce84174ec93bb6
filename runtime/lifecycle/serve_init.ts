/** What create and run do for the init process while it sets up the container. */
import { asking } from "../../syscalls/asking.ts";
import { SIGKILL } from "../../syscalls/constants/signal.ts";
import { WNOWAIT } from "../../syscalls/constants/wait.ts";
import { type Cloned, waitFor } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { CgroupRequest } from "../channel.ts";
import type { State } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { runHooks } from "../hooks/run.ts";
import { moveNetDevices } from "../net_devices/move.ts";
import { BindSources } from "../parent/bind_sources.ts";
import { type RequestHandlers, serve, serveListener } from "../parent/serve.ts";
import type { UnitEntry } from "../parent/unit_entry.ts";
import { raiseHardLimits } from "../self/rlimits.ts";
import { wholeEnvironment } from "../self/seal.ts";
import { type SavedState, writeState } from "../state/store.ts";
import { cgroupField, type Making } from "./making.ts";
import { hookState } from "./state.ts";
/** Answers the child until it is ready; its failure is thrown here. */
export function serveInit(
  making: Making,
  init: Cloned,
  channel: Fd,
  state: SavedState,
  unitEntry: UnitEntry | undefined,
): void {
  const { context, container: plan, dir } = making;
  const sources = new BindSources(init.pid, plan.rootfs.hostPropagation);
  const served = { channel, pid: init.pid, debugLog: context.debugLog };
  if (!serve(served, handlersOf(making, init, state, sources, unitEntry))) throw diedEarly(init);
  sources.close();
  writeState(dir, state);
}

function handlersOf(
  making: Making,
  init: Cloned,
  state: SavedState,
  sources: BindSources,
  unitEntry: UnitEntry | undefined,
): RequestHandlers {
  const { container: plan } = making;
  const answer = (request: CgroupRequest): undefined =>
    asking(cgroupField(making), () => void unitEntry?.answer(request));
  return {
    source: ({ mount = -1 }) => {
      const step = plan.mounts[mount];
      return step?.kind === "bind" ? sources.open(step) : undefined;
    },
    cgroup: () => answer("cgroup"),
    "leave-cgroup": () => answer("leave-cgroup"),
    "rejoin-cgroup": () => answer("rejoin-cgroup"),
    "net-devices": () => void moveNetDevices(plan.netDevices, init.pid),
    limits: () => void raiseHardLimits(plan.process.rlimits, init.pid),
    hooks: () => {
      const hooks = { state: hookState(state, "creating", init.pid), defaultEnv: wholeEnvironment };
      runHooks("prestart", plan.hooks.prestart, hooks);
      runHooks("createRuntime", plan.hooks.createRuntime, hooks);
      return undefined;
    },
    listener: ({ descriptor }) =>
      serveListener(
        plan.seccomp,
        init,
        descriptor,
        () => JSON.parse(hookState(state, "creating", init.pid)) as State,
      ),
  };
}

/** The channel ended without a word: the init process was killed, by a signal or by the OOM killer. */
function diedEarly(init: Cloned): RuntimeError {
  // Left to be reaped by who undoes the fork.
  const exit = waitFor(init.pid, WNOWAIT);
  const how =
    exit === undefined || exit.signal === 0 ? `with status ${exit?.status}` : `by signal ${exit.signal}`;
  const hint = exit?.signal === SIGKILL ? " (out of memory? the memory limit may be too low)" : "";
  return new RuntimeError("child", `container init ended ${how} before it was ready${hint}`);
}
