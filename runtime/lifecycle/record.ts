/** The first record of a container that is being made, and what undoes its making. */
import { realtimeNow, rfc3339 } from "../../syscalls/clock.ts";
import { STREAMS } from "../../syscalls/descriptor.ts";
import { readlinkat } from "../../syscalls/directory.ts";
import { CWD } from "../../syscalls/open.ts";
import type { Pid } from "../../syscalls/types.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import type { Stream } from "../init/context.ts";
import { recordedPart, removeStateDir, type SavedState, type StateDir } from "../state/store.ts";
import { mountIdOf } from "./host_mount.ts";
import { runPoststop } from "./poststop.ts";
import type { CreateRequest, Prepared } from "./prepare.ts";
import { Undo } from "./undo.ts";

/** What state.json says before there is an init process. */
export function firstRecord(
  { id, bundle }: CreateRequest,
  config: RunnableSpec,
  { container: plan, cgroup, rdt }: Pick<Prepared, "container" | "rdt"> & { readonly cgroup: CgroupManager },
  standardStreams: readonly string[] | undefined,
): SavedState {
  return {
    id,
    bundle,
    rootfs: plan.rootfs.path,
    created: rfc3339(realtimeNow()),
    init: { pid: 0 as Pid, startTime: "0", bootId: "" },
    cgroupPaths: cgroup.paths,
    ...(cgroup.unit === undefined ? {} : { systemd: cgroup.unit }),
    keyring: plan.keyring,
    ...(plan.mountsOnHost ? { mountedOn: mountIdOf(plan.rootfs.path) } : {}),
    ...(rdt === undefined ? {} : { resctrl: { join: rdt.join, remove: rdt.remove } }),
    ...(standardStreams === undefined ? {} : { standardStreams }),
    config: recordedPart(config),
  };
}

/** What removes the container again, its directory and its end for the hooks; what is made later is pushed on top. */
export function undoOf(context: RuntimeContext, dir: StateDir, recorded: SavedState): Undo {
  const undo = new Undo();
  // runtime.md "Lifecycle": once a hook may have run, what undoes it has to run as well, last of all.
  undo.push("run the poststop hooks", () => runPoststop(context, recorded));
  undo.push("remove the state directory", () => removeStateDir(dir));
  return undo;
}

/** What the standard streams of a program are open on, in the words of /proc: `streams`, else the caller's. */
export function streamNames(streams: readonly Stream[]): string[] {
  return STREAMS.map((standard) => {
    const fd = streams.find(({ standards }) => standards.includes(standard))?.end ?? standard;
    return readlinkat(CWD, `/proc/self/fd/${fd}`);
  });
}
