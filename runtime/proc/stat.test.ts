import { suite } from "uvu";
import * as assert from "uvu/assert";
import { getpid } from "../../syscalls/process.ts";
import type { Pid } from "../../syscalls/types.ts";
import { parseStat, readStat } from "./stat.ts";

const stat = suite("stat");

stat("a command may look like the end of itself", () => {
  const rest = "S 1 7 7 0 -1 4194564 0 0 0 0 0 0 0 0 20 0 1 0 123456 0 0";
  assert.equal(parseStat(`7 (a) Z 1) ${rest}`), { state: "S", flags: 4194564, startTime: "123456" });
});

stat("of this process, and of none", () => {
  assert.is(readStat(getpid())?.state, "R");
  assert.is(readStat((1 << 22) as Pid), undefined); // PID_MAX_LIMIT
});

stat.run();
