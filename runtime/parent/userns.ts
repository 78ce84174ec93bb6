/**
 * A new user namespace with its maps (user_namespaces(7)), as a descriptor: a process is forked into one, gets the maps
 * from outside, and ends as soon as the namespace is open. Containers and id-mapped mounts enter it by that.
 */
import { O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { pipe } from "../../syscalls/descriptor.ts";
import { read, readTextAt } from "../../syscalls/io.ts";
import { CLONE_NEWUSER } from "../../syscalls/namespace.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { exitGroup, waitFor } from "../../syscalls/process.ts";
import { scope } from "../../syscalls/scope.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import type { LinuxIDMapping } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import type { IdMaps, NamespacePlan } from "../plan/namespaces.ts";
import { parseIdMap } from "../proc/id_map.ts";
import { closeAllBut } from "../self/disinherit.ts";
import { fork } from "../self/fork.ts";
import { joinMappings, writeIdMaps } from "./id_maps.ts";

/** Makes a user namespace with these maps and returns it, open. */
export function makeUserns(maps: IdMaps): Fd {
  return scope((owner) => {
    const [wait, release] = owner.ownBoth(pipe());
    const helper = fork(CLONE_NEWUSER, () => {
      closeAllBut([wait]);
      read(wait, new Uint8Array(1)); // until the parent closes its end, or is gone
      exitGroup(0);
    });
    owner.own(helper.pidfd);
    try {
      writeIdMaps(helper.pid, maps);
      return openat(CWD, `/proc/${helper.pid}/ns/user`, O_RDONLY);
    } finally {
      owner.closeNow(release);
      waitFor(helper.pid);
    }
  });
}

/** A namespace that is joined by path has its maps: those of the configuration, where it has any, must be the same. */
export function requireSameMaps({ join }: NamespacePlan, given: Partial<IdMaps>, pid: Pid): void {
  const user = join.find(({ flag }) => flag === CLONE_NEWUSER);
  if (user === undefined) return;
  for (const [key, file] of [
    ["uidMappings", "uid_map"],
    ["gidMappings", "gid_map"],
  ] as const) {
    const maps = given[key] ?? [];
    if (maps.length === 0 || sameMaps(maps, readTextAt(CWD, `/proc/${pid}/${file}`))) continue;
    const problem = `not those of the user namespace ${user.path}`;
    throw new RuntimeError("invalid-argument", `linux.${key}: ${problem}`);
  }
}

function sameMaps(mappings: readonly LinuxIDMapping[], text: string): boolean {
  const given = joinMappings(mappings).map(
    ({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`,
  );
  const there = parseIdMap(text).map((range) => range.join(" "));
  return given.sort().join() === there.sort().join();
}
