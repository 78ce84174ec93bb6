import { suite } from "uvu";
import * as assert from "uvu/assert";
import { geteuid } from "../../syscalls/identity.ts";
import { MS_BIND, MS_PRIVATE, MS_REC, mount } from "../../syscalls/mount.ts";
import { CLONE_NEWNS, unshare } from "../../syscalls/namespace.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import { getpid } from "../../syscalls/process.ts";
import { makeDirectories, readText, withTemporary } from "../../syscalls/testing/files.ts";
import { runForked, startForked, waitUntil } from "../../syscalls/testing/programs.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { planMounts } from "../plan/mounts/mounts.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import { restrictMounts } from "./restrict_mounts.ts";

const restricting = suite("restrictMounts");

/** A plan with these bind mounts, of a root that is the host's. */
function planOf(
  folder: string,
  places: readonly string[],
  options: readonly string[],
): Pick<ContainerPlan, "mounts" | "rootfs"> {
  const around = { bundle: folder as HostPath, rootfs: `${folder}/none` as HostPath, userns: undefined };
  const given = places.map((name) => ({
    destination: `${folder}/${name}`,
    source: folder,
    options: ["bind", ...options],
  }));
  return {
    mounts: planMounts(given, around, () => {}),
    rootfs: { readonly: false } as ContainerPlan["rootfs"],
  };
}

const optionsOf = (pid: Pid | "self", place: string): string =>
  readText(`/proc/${pid}/mountinfo`)
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields[4] === place)
    .map((fields) => fields[5] ?? "")
    .join(" ");

/** A process in a mount namespace of its own, where the folder is mounted on these places. */
function withMounts(names: readonly string[], body: (pid: Pid, folder: string) => void): void {
  withTemporary("restrict-", (folder) => {
    for (const name of names) makeDirectories(`${folder}/${name}`);
    const child = startForked(() => {
      unshare(CLONE_NEWNS);
      mount("", "/", "", MS_REC | MS_PRIVATE, "");
      for (const name of names) mount(folder, `${folder}/${name}`, "", MS_BIND, "");
      for (;;) sleepMs(1000);
    });
    try {
      const last = names.at(-1) ?? "";
      assert.ok(waitUntil(() => optionsOf(child.pid, `${folder}/${last}`) !== ""));
      body(child.pid, folder);
    } finally {
      child.end();
    }
  });
}

if (geteuid() !== 0) console.log("skip: restrictMounts: not running as root");
else {
  restricting("sets what the configuration says, where it says so, and nothing else", () => {
    withMounts(["a", "b", "c"], (pid, folder) => {
      restrictMounts(pid, planOf(folder, ["a", "b"], ["ro", "noexec", "nosuid"]));
      for (const name of ["a", "b"]) assert.match(optionsOf(pid, `${folder}/${name}`), /^ro,nosuid,noexec/);
      assert.match(optionsOf(pid, `${folder}/c`), /^rw/);
      assert.is(optionsOf("self", `${folder}/a`), "");
    });
  });

  restricting("a place that is no mount, or not there, is left alone", () => {
    withMounts(["a"], (pid, folder) => {
      restrictMounts(pid, planOf(folder, ["", "none", "a"], ["ro"]));
      assert.match(optionsOf(pid, `${folder}/a`), /^ro/);
    });
  });

  restricting("what allows more takes nothing back", () => {
    withMounts(["a"], (pid, folder) => {
      restrictMounts(pid, planOf(folder, ["a"], ["ro"]));
      restrictMounts(pid, planOf(folder, ["a"], ["rw", "exec"]));
      assert.match(optionsOf(pid, `${folder}/a`), /^ro/);
    });
  });

  restricting("mounts of this process's own namespace are not touched", () => {
    // In a child with mounts of its own, should they be touched all the same.
    const { status } = runForked(() => {
      unshare(CLONE_NEWNS);
      mount("", "/", "", MS_REC | MS_PRIVATE, "");
      const before = optionsOf("self", "/");
      restrictMounts(getpid(), { mounts: [], rootfs: { readonly: true } as ContainerPlan["rootfs"] });
      return optionsOf("self", "/") === before ? 0 : 1;
    });
    assert.is(status, 0);
  });
}

restricting.run();
