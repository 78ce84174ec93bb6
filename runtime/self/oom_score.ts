/** `process.oomScoreAdj`, written while the host's procfs is there to be trusted, and the right to do it. */
import { asking } from "../../syscalls/asking.ts";
import { EACCES } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { writeTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import type { Pid } from "../../syscalls/types.ts";

/** Absent must not be written (config.md). */
export function writeOomScore(score: number | undefined, pid: Pid | "self"): void {
  if (score === undefined) return;
  const file = `/proc/${pid}/oom_score_adj`;
  asking("process.oomScoreAdj", () => {
    try {
      writeTextAt(CWD, file, O_WRONLY, String(score));
    } catch (error) {
      if (!isErrno(error, "EACCES")) throw error;
      throw OpError.from("write", file, EACCES, "lowering it needs CAP_SYS_RESOURCE");
    }
  });
}
