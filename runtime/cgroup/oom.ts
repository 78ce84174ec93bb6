/** Waits for OOM kills in a cgroup, and for the end of that cgroup. */
import { ENOENT } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { writeTextAt } from "../../syscalls/io.ts";
import {
  drain,
  eventfd,
  IN_MODIFY,
  inotifyInit,
  readCounter,
  tryInotifyAddWatch,
} from "../../syscalls/notify.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { closing, Owner } from "../../syscalls/scope.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { unifiedOnly } from "../plan/cgroup/hierarchies.ts";
import { tryReadControl } from "./control_file.ts";
import { parseKeyValues } from "./stats_text.ts";

/** What has happened since the events were last read. */
export interface OomEvents {
  readonly oom: boolean;
  /** The cgroup has been removed, or on v2 has no process left. */
  readonly gone: boolean;
}

export interface OomWatch {
  /** Readable when there are events to read. */
  readonly fd: Fd;
  /** To be called when it is. */
  readEvents(): OomEvents;
  close(): void;
}

/** Starts to listen; what was before is not told. */
export function watchOom(paths: CgroupPaths): OomWatch {
  const unified = unifiedOnly(paths);
  if (unified !== undefined) return watchV2(unified);
  if (paths.memory === undefined) throw new RuntimeError("unsupported", "memory controller missing");
  return watchV1(paths.memory);
}

/** cgroup-v1/memory "OOM Control": an eventfd that is told of each OOM, and once when the cgroup is removed. */
function watchV1(path: HostPath): OomWatch {
  const owner = new Owner();
  const directory = owner.own(openat(CWD, path, O_PATH | O_DIRECTORY));
  const fd = owner.own(eventfd());
  closing(openat(directory, "memory.oom_control", O_RDONLY), (oomControl) =>
    writeTextAt(directory, "cgroup.event_control", O_WRONLY, `${fd} ${oomControl} `),
  );
  // By the directory's descriptor: under its path there could be another container's by now.
  const isGone = () => typeof tryStatx(directory, "cgroup.event_control", 0) === "number";
  return {
    fd,
    readEvents() {
      const gone = isGone();
      const signals = readCounter(fd);
      // Looked at again: who removes it between the two lines has given its signal already, and there is no other.
      return { oom: signals > (gone ? 1n : 0n), gone: gone || isGone() };
    },
    close: () => owner.close(),
  };
}

/** A removal of a directory of cgroups wakes nobody, but before it the last process has to go. */
function watchV2(directory: HostPath): OomWatch {
  const fd = inotifyInit();
  for (const file of ["memory.events", "cgroup.events"]) {
    const watch = tryInotifyAddWatch(fd, `${directory}/${file}`, IN_MODIFY);
    if (watch === -ENOENT && file === "memory.events") continue; // no memory controller, and no OOM
    if (watch < 0) throw OpError.from("watch", `${directory}/${file}`, -watch);
  }
  const read = (file: string, key: string): bigint | undefined => {
    const text = tryReadControl(directory, file);
    return text === undefined ? undefined : parseKeyValues(text, file)[key];
  };
  let kills = read("memory.events", "oom_kill") ?? 0n;
  return {
    fd,
    readEvents() {
      drain(fd);
      // First: after the end there is no other look, and the last process may be killed between the two lines.
      const gone = read("cgroup.events", "populated") !== 1n;
      const before = kills;
      kills = read("memory.events", "oom_kill") ?? kills;
      return { oom: kills > before, gone };
    },
    close() {
      close(fd);
    },
  };
}
