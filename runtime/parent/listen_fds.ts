/** Socket activation (sd_listen_fds(3)): sockets that the caller, such as systemd, has opened for the user's program. */
import { getpid } from "../../syscalls/process.ts";
import { type CallerEnvironment, callerEnvironment } from "../self/seal.ts";

/** Descriptors 3 to 2+count, and the variables that announce them. */
export interface ListenFds {
  readonly count: number;
  readonly env: readonly string[];
}

/**
 * What was passed to this process and to no other. The process inside has to be told its own pid, which runc says is
 * 1; for exec that is not true, so that exec passes nothing, as runc.
 */
export function listenFds(environment: CallerEnvironment = callerEnvironment(), pid = getpid()): ListenFds {
  const { LISTEN_FDS = "", LISTEN_PID = "", LISTEN_FDNAMES } = environment;
  const none = { count: 0, env: [] };
  if (!/^[0-9]{1,5}$/.test(LISTEN_FDS) || !/^[0-9]+$/.test(LISTEN_PID)) return none;
  const count = Number(LISTEN_FDS);
  if (count === 0 || Number(LISTEN_PID) !== pid) return none;
  const names = LISTEN_FDNAMES === undefined ? [] : [`LISTEN_FDNAMES=${LISTEN_FDNAMES}`];
  return { count, env: [`LISTEN_FDS=${count}`, "LISTEN_PID=1", ...names] };
}
