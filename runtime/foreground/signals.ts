/** Signals of an attached command: taken as data, so that none is lost between fork and wait. */
import * as S from "../../syscalls/constants/signal.ts";
import { PendingSignals } from "../../syscalls/pending_signals.ts";
import { ALL_SIGNALS, blockSignals, setSignalMask, signalMask } from "../../syscalls/signal.ts";

/**
 * Left to do what they do: a fault of our own must kill us, SIGPIPE is the echo of a write of our own (ignored, or a
 * trace to a closed pipe would be forwarded for ever), and SIGURG is noise of some callers' engines.
 */
const OURS = signalMask([S.SIGILL, S.SIGTRAP, S.SIGABRT, S.SIGBUS, S.SIGFPE, S.SIGSEGV, S.SIGPIPE, S.SIGURG]);

/** All other signals of this process, which are blocked from now on. */
export interface SignalQueue {
  readonly pending: PendingSignals;
  /** Lets signals act again. */
  end(): void;
}

/** Blocks signals and opens the queue; to be called before the fork, so that what comes meanwhile is forwarded. */
export function queueSignals(): SignalQueue {
  const mask = ALL_SIGNALS & ~OURS;
  const before = blockSignals(mask);
  const pending = new PendingSignals(mask);
  return {
    pending,
    end() {
      setSignalMask(before);
      pending.close();
    },
  };
}
