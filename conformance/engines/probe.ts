// What the probe prints in an engine's container, with runt and with runc, without what is numbered anew for each
// container.
import * as assert from "uvu/assert";
import { differences, parseProbe, type Sections } from "../oracle/compare.ts";

export function readProbe(text: string): Sections {
  // runc's threads use up some pids before the one of a process that exec puts into the container.
  const pid = text.match(/^NSpid:\t(\d+)$/m)?.[1] ?? "";
  return parseProbe(
    text
      .replace(new RegExp(`^(NS\\w+:\t)${pid}$`, "gm"), "$1PID")
      .replace(new RegExp(`^(\\d+) ${pid} ${pid} `, "gm"), "$1 PID PID ")
      .replaceAll(`/proc/${pid}/fd/`, "/proc/PID/fd/")
      .replace(/snapshots\/\d+/g, "snapshots/N")
      .replace(/\b[0-9a-f]{64}\b/g, "ID")
      .replace(/eth0@if\d+/g, "eth0@if")
      // Asked for is a bind mount with "rw" of a mount with nosuid, nodev and noexec. From 1.2 on, runc takes it at its
      // word and clears those, as runt does; before, "rw" alone did nothing.
      .replace(
        / \/dev\/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm /,
        " /dev/shm rw,relatime - tmpfs shm ",
      ),
  );
}

/** Of the container's process, and of one that exec put there. */
export type Probes = { readonly started: Sections; readonly entered: Sections };

export function assertSame(ours: Probes, theirs: Probes): void {
  for (const which of ["started", "entered"] as const) {
    assert.ok(ours[which].has("end"), `${which}: the probe did not end`);
    assert.equal(differences(ours[which], theirs[which]), [], which);
  }
}
