/** The errors that callers branch on: an engine matches their words, the command line their kind. */

/** What kind of refusal it is. */
export type RuntimeErrorKind =
  | "not-found"
  | "exists"
  | "wrong-status"
  | "invalid-argument"
  | "unsupported"
  | "safety"
  | "hook"
  | "child";

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
