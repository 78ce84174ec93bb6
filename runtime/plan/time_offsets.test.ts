import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planTimeOffsets } from "./time_offsets.ts";

const test = suite("planTimeOffsets");

test("a line for each clock, absent parts are 0", () => {
  const text = planTimeOffsets({ boottime: { secs: -5 }, monotonic: { secs: 7, nanosecs: 9 } });
  assert.is(text, "monotonic 7 9\nboottime -5 0\n");
});

test("seconds beyond 2^53 are exact", () => {
  assert.is(
    planTimeOffsets({ monotonic: { secs: 9223372036854775807n } }),
    "monotonic 9223372036854775807 0\n",
  );
});

test("no offsets: nothing is written", () => {
  assert.is(planTimeOffsets(undefined), "");
  assert.is(planTimeOffsets({}), "");
});

test.run();
