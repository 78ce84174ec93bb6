import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultSignal, ignoreSignal, SIGWINCH } from "../../syscalls/signal.ts";
import { fieldOf, readIgnoredSignals } from "./status.ts";

const status = suite("status");

status("a field, without what is like it", () => {
  const text = "Name:\tSigIgn: no\nSigIgnX:\t1\nSigIgn:\t0000000000001000\n";
  assert.is(fieldOf(text, "SigIgn"), "0000000000001000");
  assert.is(fieldOf(text, "SigCgt"), undefined);
});

status("signals that this process ignores", () => {
  const bit = 1n << BigInt(SIGWINCH - 1);
  ignoreSignal(SIGWINCH);
  assert.is((readIgnoredSignals() ?? 0n) & bit, bit);
  defaultSignal(SIGWINCH);
  assert.is((readIgnoredSignals() ?? 0n) & bit, 0n);
});

status.run();
