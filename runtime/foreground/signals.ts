/** Signals of an attached command: taken as data from a descriptor, so that none is lost between fork and wait. */
import * as S from "../../syscalls/constants/signal.ts";
import { close } from "../../syscalls/open.ts";
import { ALL_SIGNALS, blockSignals, setSignalMask, signalfd, signalMask } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";

/**
 * Left to do what they do: a fault of our own must kill us, SIGPIPE is the echo of a write of our own (ignored, or a
 * trace to a closed pipe would be forwarded for ever), and SIGURG is noise of some callers' engines.
 */
const OURS = signalMask([S.SIGILL, S.SIGTRAP, S.SIGABRT, S.SIGBUS, S.SIGFPE, S.SIGSEGV, S.SIGPIPE, S.SIGURG]);

/** A descriptor with all other signals of this process, which are blocked from now on. */
export interface SignalQueue {
  readonly fd: Fd;
  /** Lets signals act again and closes the descriptor. */
  end(): void;
}

/** Blocks signals and opens the queue; to be called before the fork, so that what comes meanwhile is forwarded. */
export function queueSignals(): SignalQueue {
  const mask = ALL_SIGNALS & ~OURS;
  const before = blockSignals(mask);
  const fd = signalfd(mask);
  return {
    fd,
    end() {
      setSignalMask(before);
      close(fd);
    },
  };
}
