import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../syscalls/types.ts";
import { planCgroupResources } from "../plan/cgroup_resources.ts";
import type { LinuxResources } from "../spec/types.ts";
import { planBack } from "./restore.ts";

const restore = suite("planBack");

const plan = (resources: LinuxResources) => planCgroupResources(resources, { version: 1, setDevices: false });

restore("the last write is undone first, and what cannot be read is left out", () => {
  const top = mkdtempSync(join(tmpdir(), "restore-"));
  const file = (controller: string, name: string, text: string) => {
    mkdirSync(join(top, controller), { recursive: true });
    writeFileSync(join(top, controller, name), text);
  };
  try {
    file("memory", "memory.limit_in_bytes", "9223372036854771712\n");
    file("memory", "memory.memsw.limit_in_bytes", "9223372036854771712\n");
    file("cpu", "cpu.shares", "1024\n");
    file("cpu", "cpu.idle", "0\n");
    const paths = { memory: `${top}/memory` as HostPath, cpu: `${top}/cpu` as HostPath };
    const update = plan({ memory: { limit: 10, swap: 20 }, cpu: { idle: 1, quota: 5 }, pids: { limit: 1 } });
    const back = planBack(update, paths);
    assert.equal(
      back.writes.map((write) => `${write.file} ${write.value}`),
      [
        "cpu.idle 0",
        "cpu.shares 1024",
        "memory.memsw.limit_in_bytes 9223372036854771712",
        "memory.limit_in_bytes 9223372036854771712",
      ],
    );
    assert.is(readFileSync(join(top, "cpu/cpu.shares"), "utf8"), "1024\n", "looking changes nothing");
  } finally {
    rmSync(top, { recursive: true });
  }
});
restore.run();
