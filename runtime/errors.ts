/** The errors that callers branch on: an engine matches their words, the command line their kind. */

import { OpError } from "../syscalls/error.ts";

/** What kind of refusal it is. */
export type RuntimeErrorKind =
  | "not-found"
  | "exists"
  | "wrong-status"
  | "invalid-argument"
  | "unsupported"
  | "safety"
  | "hook"
  | "child"
  /** The user's program or its directory cannot be entered. */
  | "program";

/** A refusal in words that engines know; see the command line contract for those that must not change. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  constructor(
    readonly kind: RuntimeErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Does what leads from the fork to the user's program; a failure says so in runc's words, which people search for. */
export function startingProcess<T>(act: () => T): T {
  return behind("unable to start container process", act);
}

/** Serves the init process; a failure says so as well, but for one of the program itself, whose words engines match. */
export function duringInit<T>(act: () => T): T {
  return behind("error during container init", act, "program");
}

/** A mistake of ours (a TypeError) stays what it is. */
function behind<T>(words: string, act: () => T, bare?: RuntimeErrorKind): T {
  try {
    return act();
  } catch (error) {
    const kind = error instanceof RuntimeError ? error.kind : "child";
    if (kind === bare || !(error instanceof OpError || error instanceof RuntimeError)) throw error;
    throw new RuntimeError(kind, `${words}: ${error.message}`, { cause: error });
  }
}

/** The same failure with words of runc's in front, which engines, scripts and people look for; still data. */
export function prefixed(words: string, error: unknown): unknown {
  if (error instanceof OpError)
    return new OpError({ ...error.data, op: `${words}: ${error.data.op}` }, { cause: error });
  if (error instanceof RuntimeError)
    return new RuntimeError(error.kind, `${words}: ${error.message}`, { cause: error });
  return error;
}

/** A failure to join a cgroup, by whichever process, with the pid that the caller knows it by. */
export function namingPid(error: Error, pid: number): unknown {
  const joins = error instanceof OpError && error.data.op === JOIN_CGROUP;
  return joins ? prefixed(`error adding pid ${pid} to cgroups`, error) : error;
}

/** What a process that joins a cgroup itself calls that. */
export const JOIN_CGROUP = "join cgroup";

/** The container is not there: shim and podman take "does not exist" as success of a delete. */
export function notFound(): RuntimeError {
  return new RuntimeError("not-found", "container does not exist");
}

/** Someone moved a path that was being used: not ENOENT, but an attack or a very odd image. */
export function safetyViolation(message: string): RuntimeError {
  return new RuntimeError("safety", message);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
