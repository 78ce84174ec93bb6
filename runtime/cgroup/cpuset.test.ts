import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EACCES, EBUSY } from "../../syscalls/constants/errno.ts";
import { join, makeDirectory, makeTemporary, removeTree, writeFile } from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { explainCpuset } from "./cpuset.ts";

const cpuset = suite("why a cpuset is refused");

/** A cgroup below one with processors 0-3, and with children that have these. */
function withChildren(children: Readonly<Record<string, string>>, body: (directory: HostPath) => void): void {
  const parent = makeTemporary("cpuset-");
  try {
    writeFile(join(parent, "cpuset.cpus"), "0-3\n");
    const directory = join(parent, "container");
    makeDirectory(directory);
    for (const [name, cpus] of Object.entries(children)) {
      makeDirectory(join(directory, name));
      writeFile(join(directory, name, "cpuset.cpus"), `${cpus}\n`);
    }
    body(directory as HostPath);
  } finally {
    removeTree(parent);
  }
}

const explain = (directory: HostPath, value: string, errno: number): string | undefined =>
  explainCpuset(directory, "cpuset.cpus", "cpuset.cpus", value, errno);

cpuset("EBUSY: the child that has more, whatever others have", () => {
  withChildren({ a: "0", b: "", c: "0,2-3" }, (directory) => {
    assert.is(explain(directory, "0-2", EBUSY), `the child cgroup ${directory}/c has 0,2-3`);
  });
});

cpuset("EBUSY without such a child: what else keeps processors", () => {
  withChildren({ a: "0-1" }, (directory) => {
    assert.is(explain(directory, "0-2", EBUSY), "its processes need what it has (SCHED_DEADLINE)");
  });
});

cpuset("another errno: what the parent has", () => {
  withChildren({ a: "0-1" }, (directory) => {
    assert.is(explain(directory, "7", EACCES), "the parent cgroup has 0-3");
  });
});

cpuset.run();
