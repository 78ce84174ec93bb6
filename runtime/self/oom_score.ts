/** `process.oomScoreAdj`, written while the host's procfs is there to be trusted, and the right to do it. */
import { EACCES } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { writeTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import type { Pid, SpecField } from "../../syscalls/types.ts";

/** Absent must not be written (config.md). */
export function writeOomScore(score: number | undefined, pid: Pid | "self"): void {
  if (score === undefined) return;
  const file = `/proc/${pid}/oom_score_adj`;
  try {
    writeTextAt(CWD, file, O_WRONLY, String(score));
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    const hint = isErrno(error, "EACCES") ? "lowering it needs CAP_SYS_RESOURCE" : undefined;
    const named = hint === undefined ? error : OpError.from("write", file, EACCES, hint);
    throw named.askedBy("process.oomScoreAdj" as SpecField);
  }
}
