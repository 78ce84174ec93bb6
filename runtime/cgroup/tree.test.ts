/** Trees of cgroups that are deeper than a path is long, as a container can make them. Needs root. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { tryMkdirat } from "../../syscalls/directory.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { getrlimit, RLIMIT_NOFILE, trySetrlimit } from "../../syscalls/resource.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { directoryExists, makeDirectories } from "./directory.ts";
import { processesBelow, tryRemoveTree, walkTree } from "./tree.ts";

const tree = suite("cgroup tree");
const [hierarchy] = detectCgroups().hierarchies.slice(-1);
const able = geteuid() === 0 && hierarchy !== undefined;

/** Nests so many cgroups with names of so many letters. */
function nest(top: HostPath, depth: number, length: number): void {
  let here: Fd = openat(CWD, top, O_RDONLY | O_DIRECTORY);
  for (let i = 0; i < depth; i++) {
    const name = "x".repeat(length);
    assert.is(tryMkdirat(here, name, 0o755), 0);
    const next = openat(here, name, O_RDONLY | O_DIRECTORY);
    close(here);
    here = next;
  }
  close(here);
}

for (const [title, depth, length] of [
  ["deeper than PATH_MAX", 20, 250],
  ["deeper than there are descriptors", 150, 1],
] as const) {
  if (!able) console.log(`skip: ${title}: not root, or no cgroup file system`);
  (able ? tree : tree.skip)(`${title}: it is walked and removed`, () => {
    const top = `${hierarchy?.mountPoint}/runt-tree-${getpid()}` as HostPath;
    makeDirectories(top, []);
    nest(top, depth, length);
    const limit = getrlimit(0, RLIMIT_NOFILE);
    trySetrlimit(0, RLIMIT_NOFILE, { ...limit, soft: 100n });
    try {
      let count = 0;
      walkTree(top, () => count++);
      assert.is(count, depth + 1);
      assert.equal(processesBelow(top), []);
      assert.is(tryRemoveTree(top), 0);
    } finally {
      trySetrlimit(0, RLIMIT_NOFILE, limit);
    }
    assert.not(directoryExists(top));
  });
}
tree.run();
