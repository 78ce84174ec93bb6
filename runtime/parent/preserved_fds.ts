/** Descriptors that the caller hands on to the user's program: those of $LISTEN_FDS, then --preserve-fds N. */

import { EBADF } from "../../syscalls/constants/errno.ts";
import { F_GETFD } from "../../syscalls/constants/fcntl.ts";
import { clearCloexec, fdAt, tryFcntl } from "../../syscalls/descriptor.ts";
import { RuntimeError } from "../errors.ts";

/** The sockets of socket activation, which come first. */
export function keepListenFds(count: number, inherited: readonly number[]): void {
  for (let i = 0; i < count; i++) {
    const fd = fdAt(3 + i);
    if (!inherited.includes(fd) || tryFcntl(fd, F_GETFD) === -EBADF)
      throw new RuntimeError("invalid-argument", `$LISTEN_FDS is ${count}, but fd ${fd} is not open`);
    clearCloexec(fd);
  }
}

/**
 * Lets each of them survive the execve. That one is open proves nothing, as the runtime and its engine have open
 * what they need themselves: it has to be one of those that were `inherited` from the caller.
 */
export function keepPreservedFds(count: number, inherited: readonly number[], first = 3): void {
  for (let i = 0; i < count; i++) {
    const fd = fdAt(first + i);
    if (!inherited.includes(fd) || tryFcntl(fd, F_GETFD) === -EBADF) {
      throw new RuntimeError(
        "invalid-argument",
        `unable to stat preserved-fd ${i} (of ${count}): fd ${fd} is not open`,
      );
    }
    clearCloexec(fd);
  }
}
