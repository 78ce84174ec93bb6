import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SpecField } from "../../../syscalls/types.ts";
import { filesChangedBy, restoringWrite } from "./restore.ts";

const restore = suite("restoringWrite");
const from = "linux.resources.x" as SpecField;
const write = (file: string, value: string) => ({ controller: "c", file, value, from });
const back = (file: string, value: string, text: string) =>
  restoringWrite(write(file, value), file, text).value;

const cases: readonly [file: string, written: string, text: string, value: string][] = [
  ["memory.limit_in_bytes", "1000", "9223372036854771712", "9223372036854771712"],
  ["cpu.max", "50000 100000", "max 100000", "max 100000"],
  ["cpu.max", "max 100000", "20000 50000", "20000 50000"],
  ["pids.max", "5", "max", "max"],
  ["cpuset.cpus", "0", "0-1", "0-1"],
  ["io.weight", "200", "default 100\n8:0 50", "default 100"],
  ["io.bfq.weight", "8:0 300", "default 100\n8:0 50", "8:0 50"],
  ["io.bfq.weight", "8:16 300", "default 100\n8:0 50", "8:16 default"],
  [
    "io.max",
    "8:0 rbps=1",
    "8:0 rbps=5 wbps=max riops=max wiops=max",
    "8:0 rbps=5 wbps=max riops=max wiops=max",
  ],
  ["io.max", "8:0 rbps=1", "8:16 rbps=5 wbps=max riops=max wiops=max", "8:0 rbps=max"],
  ["blkio.throttle.read_bps_device", "8:0 100", "8:0 5\n8:16 6", "8:0 5"],
  ["blkio.throttle.read_bps_device", "8:0 100", "", "8:0 0"],
  ["blkio.bfq.weight_device", "8:0 100", "", "8:0 default"],
  ["net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3", "eth0 3"],
  [
    "rdma.max",
    "mlx4_0 hca_handle=2",
    "mlx4_0 hca_handle=max hca_object=7",
    "mlx4_0 hca_handle=max hca_object=7",
  ],
  ["memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3", "0"],
];
for (const [file, written, text, value] of cases)
  restore(`${file}: ${written} over ${JSON.stringify(text)}`, () => {
    assert.is(back(file, written, text), value);
  });

restore("says on whose behalf, and is tried again where the write was", () => {
  const period = { ...write("cpu.cfs_period_us", "1000"), retryLast: true as const };
  assert.equal(restoringWrite(period, period.file, "100000"), { ...period, value: "100000" });
});

restore("what begins or ends to be idle loses its shares", () => {
  const idle = write("cpu.idle", "1");
  assert.equal(filesChangedBy(idle), ["cpu.shares", "cpu.weight", "cpu.idle"]);
  assert.equal(restoringWrite(idle, "cpu.shares", "3").ignoreErrnos, ["EINVAL", "ERANGE"]);
  assert.equal(filesChangedBy(write("cpu.max", "1 2")), ["cpu.max"]);
  const weight = { ...write("io.bfq.weight", "1"), orElse: { file: "io.weight", value: "2" } };
  assert.equal(filesChangedBy(weight), ["io.bfq.weight", "io.weight"]);
});
restore.run();
