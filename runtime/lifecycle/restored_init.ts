/** The init process that criu has made: a child of this process, like that of run. */
import { realtimeNow, rfc3339 } from "../../syscalls/clock.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryPidfdOpen } from "../../syscalls/process.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import { type Fd, failed, type Pid } from "../../syscalls/types.ts";
import type { RunnableSpec } from "../config/types.ts";
import { identify } from "../state/init_pid.ts";
import { recordedPart, type SavedState } from "../state/store.ts";

/** A process and its pidfd. */
export interface RestoredInit {
  readonly pid: Pid;
  readonly pidfd: Fd;
}

/** Opens a child of this process. */
export function openInit(pid: Pid): RestoredInit {
  const pidfd = tryPidfdOpen(pid);
  if (failed(pidfd)) throw OpError.from("pidfd_open", `pid ${pid}`, -pidfd);
  return { pid, pidfd };
}

/** The record of a container that was restored now with this configuration. */
export function restoredState(recorded: SavedState, config: RunnableSpec, pid: Pid): SavedState {
  return {
    ...recorded,
    created: rfc3339(realtimeNow()),
    init: identify(pid),
    config: recordedPart(config),
  };
}

/** criu restores into a time namespace, so that clocks go on where they were; what exec starts is to have the same. */
export function withTimeNamespace(config: RunnableSpec, pid: Pid): RunnableSpec {
  const namespaces = config.linux?.namespaces ?? [];
  const inodeOf = (process: string): bigint | undefined => {
    const stat = tryStatx(CWD, `/proc/${process}/ns/time`, 0);
    return typeof stat === "number" ? undefined : stat.ino;
  };
  if (namespaces.some(({ type }) => type === "time") || inodeOf(String(pid)) === inodeOf("self"))
    return config;
  return { ...config, linux: { ...config.linux, namespaces: [...namespaces, { type: "time" }] } };
}
