/** Branded numbers and strings: what they are is part of their type, at no cost at run time. */

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** An open file descriptor of this process. */
export type Fd = Brand<number, "Fd">;
/** What there is in the place of a descriptor after a failure that is an answer: minus errno. */
export type Failure = Brand<number, "Failure">;
/** A process id as this process sees it. */
export type Pid = Brand<number, "Pid">;
/** A path in the runtime's own mount namespace. */
export type HostPath = Brand<string, "HostPath">;
/** A path inside the container; it means nothing before pivot_root and is never joined to a host path. */
export type ContainerPath = Brand<string, "ContainerPath">;
/** A place in config.json, such as "mounts[3].options". */
export type SpecField = Brand<string, "SpecField">;
/** The same, or a name that is surely one. */
export type FieldName =
  | SpecField
  | `${"process" | "linux" | "root" | "hooks"}.${string}`
  | "hostname"
  | "domainname";

/** Minus the errno, for a function that finds itself what a system call would have said. */
export function minus(errno: number): Failure {
  return -errno as Failure;
}

/** True for minus errno; after it the rest is a descriptor to the type checker, which closes no errno. */
export function failed(result: Fd | Failure): result is Failure {
  return result < 0;
}
