import { suite } from "uvu";
import * as assert from "uvu/assert";

// As in faults.test.ts: it has to be there before the door is.
globalThis.FAULT_INJECTION = true;
const { armFaults } = await import("./faults.ts");
const { fdAt } = await import("./descriptor.ts");
const { poll } = await import("./poll.ts");
const { getpid, tryKill } = await import("./process.ts");
const { PendingSignals } = await import("./pending_signals.ts");
const { blockSignals, SIGHUP, SIGUSR1, setSignalMask, signalMask } = await import("./signal.ts");

const signals = suite("pending signals");

for (const [title, refused, fds] of [
  ["by a descriptor", "none", 1],
  ["without signalfd4 [ENOSYS]", "signalfd4:*:ENOSYS", 0],
  ["without signalfd4 [EPERM]", "signalfd4:*:EPERM", 0],
] as const)
  signals(`${title}: each once, none that was not asked for`, () => {
    const before = blockSignals(signalMask([SIGHUP, SIGUSR1]));
    armFaults(refused);
    const pending = new PendingSignals(signalMask([SIGHUP]));
    assert.is(pending.requests.length, fds);
    assert.is(pending.timeoutMs, fds === 1 ? -1 : 50);
    assert.is(pending.next(), 0);
    tryKill(getpid(), SIGUSR1);
    assert.is(pending.next(), 0);
    tryKill(getpid(), SIGHUP);
    const came = poll(pending.requests, pending.timeoutMs).some((events) => events !== 0);
    assert.is(came, fds === 1);
    assert.is(pending.mayBeAmong(new Set(pending.requests.map(({ fd }) => fd))), true);
    assert.is(pending.mayBeAmong(new Set([fdAt(1000)])), fds === 0);
    assert.is(pending.next(), SIGHUP);
    assert.is(pending.next(), 0);
    pending.close();
    const others = new PendingSignals(signalMask([SIGUSR1]));
    assert.is(others.next(), SIGUSR1);
    others.close();
    armFaults("none");
    setSignalMask(before);
  });

signals("another failure is one", () => {
  armFaults("signalfd4:1:EMFILE");
  assert.throws(() => new PendingSignals(0n), /signalfd4?.*EMFILE/);
  armFaults("none");
});

signals.run();
