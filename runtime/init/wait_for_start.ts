/** The wait of a created container for its start: a byte in the fifo of parent/exec_fifo.ts. */
import { POLLIN } from "../../syscalls/constants/poll.ts";
import * as S from "../../syscalls/constants/signal.ts";
import { tryRead } from "../../syscalls/io.ts";
import { PendingSignals } from "../../syscalls/pending_signals.ts";
import { poll } from "../../syscalls/poll.ts";
import { exitGroup } from "../../syscalls/process.ts";
import { ALL_SIGNALS, blockSignals } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";

const IGNORED_BY_DEFAULT: readonly number[] = [S.SIGCHLD, S.SIGCONT, S.SIGURG, S.SIGWINCH];
const STOPPING: readonly number[] = [S.SIGTSTP, S.SIGTTIN, S.SIGTTOU];

/**
 * Init: waits for the starter. As pid 1 of its namespace it would be deaf to every signal but SIGKILL, while who
 * sends SIGTERM to a created container wants it to end; so signals are read here and do what they do by default.
 */
export function waitForStart(fifo: Fd): void {
  blockSignals(ALL_SIGNALS);
  const signals = new PendingSignals(ALL_SIGNALS);
  const byte = new Uint8Array(1);
  for (;;) {
    const [ready = 0] = poll([{ fd: fifo, events: POLLIN }, ...signals.requests], signals.timeoutMs);
    if (ready & POLLIN && tryRead(fifo, byte) === 1) break;
    const signal = signals.next();
    if (signal !== 0 && !IGNORED_BY_DEFAULT.includes(signal) && !STOPPING.includes(signal))
      exitGroup(128 + signal);
  }
  signals.close();
}
