import { suite } from "uvu";
import * as assert from "uvu/assert";
import { schedAttrBytes } from "./sched.ts";

const test = suite("schedAttrBytes");

test("struct sched_attr with 64-bit times, byte for byte", () => {
  const bytes = schedAttrBytes({
    policy: 6,
    flags: 5,
    nice: -20,
    priority: 99,
    runtime: 0x0102030405060708n,
    deadline: 0xfffffffffffffffen,
    period: 0xffffffffffffffffn,
  });
  const head = [48, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0xec, 0xff, 0xff, 0xff, 99, 0, 0, 0];
  const times = [8, 7, 6, 5, 4, 3, 2, 1, 0xfe, ...new Array<number>(15).fill(0xff)];
  assert.equal([...bytes], [...head, ...times]);
});

test.run();
