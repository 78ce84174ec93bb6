import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  join,
  makeDirectories,
  makeTemporary,
  parentOf,
  readText,
  removeTree,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import type { LinuxResources } from "../config/types.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { type CgroupPlan, planCgroupResources } from "../plan/cgroup/resources.ts";
import { planBack, stillDifferent } from "./restore.ts";

const restore = suite("planBack");

const plan = (version: 1 | 2, resources: LinuxResources): CgroupPlan =>
  planCgroupResources(resources, { version, setDevices: false });

/** Control files as "controller/file", and the paths of the controllers. */
function withFiles(files: Readonly<Record<string, string>>, body: (top: string) => void): void {
  const top = makeTemporary("restore-");
  try {
    for (const [path, text] of Object.entries(files)) {
      makeDirectories(join(top, parentOf(path)));
      writeFile(join(top, path), `${text}\n`);
    }
    body(top);
  } finally {
    removeTree(top);
  }
}

const lines = (plan: CgroupPlan, paths: CgroupPaths): string[] =>
  planBack(plan, paths).writes.map(({ file, value }) => `${file} ${value}`);

restore("the last write is undone first, and what cannot be read is left out", () => {
  const files = {
    "memory/memory.limit_in_bytes": "9223372036854771712",
    "memory/memory.memsw.limit_in_bytes": "9223372036854771712",
    "cpu/cpu.shares": "1024",
    "cpu/cpu.idle": "0",
  };
  withFiles(files, (top) => {
    const paths = { memory: `${top}/memory` as HostPath, cpu: `${top}/cpu` as HostPath };
    const update = plan(1, {
      memory: { limit: 10, swap: 20 },
      cpu: { idle: 1, quota: 5 },
      pids: { limit: 1 },
    });
    assert.equal(lines(update, paths), [
      "cpu.idle 0",
      "cpu.shares 1024",
      "memory.memsw.limit_in_bytes 9223372036854771712",
      "memory.limit_in_bytes 9223372036854771712",
    ]);
    assert.is(readText(join(top, "cpu/cpu.shares")), "1024\n", "looking changes nothing");
  });
});

restore("what was refused, and so is as it was, is not written back", () => {
  const update = plan(2, { pids: { limit: 5 }, cpu: { shares: 512 } });
  const writesBack = (files: Readonly<Record<string, string>>) => {
    let writes: CgroupPlan["writes"] = [];
    withFiles(files, (top) => {
      ({ writes } = planBack(update, { "": `${top}/c` as HostPath }));
    });
    return writes;
  };
  const before = writesBack({ "c/cpu.weight": "0", "c/pids.max": "7" });
  const now = writesBack({ "c/cpu.weight": "0", "c/pids.max": "5" });
  assert.equal(
    stillDifferent(before, now).map(({ file, value }) => `${file} ${value}`),
    ["pids.max 7"],
  );
});

restore("an empty cpuset comes back as what it came to, since the kernel takes no empty one", () => {
  const files = { "c/cpuset.cpus": "", "c/cpuset.cpus.effective": "0-1", "c/cpuset.mems": "0" };
  withFiles(files, (top) => {
    const update = plan(2, { cpu: { cpus: "0", mems: "0" } });
    assert.equal(lines(update, { "": `${top}/c` as HostPath }), ["cpuset.mems 0", "cpuset.cpus 0-1"]);
  });
});

restore("an empty table of throttles is one without limits", () => {
  withFiles({ "blkio/blkio.throttle.read_bps_device": "" }, (top) => {
    const device = { major: 8, minor: 0, rate: 5 };
    const update = plan(1, { blockIO: { throttleReadBpsDevice: [device] } });
    const paths = { blkio: `${top}/blkio` as HostPath };
    assert.equal(lines(update, paths), ["blkio.throttle.read_bps_device 8:0 0"]);
  });
});
restore.run();
