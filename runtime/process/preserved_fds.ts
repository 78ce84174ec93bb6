/** Descriptors that the caller hands on to the user's program: --preserve-fds N is 3 to 2+N. */
import { EBADF } from "../../syscalls/constants/errno.ts";
import { clearCloexec, F_GETFD, tryFcntl } from "../../syscalls/file.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";

/**
 * Lets each of them survive the execve. That one is open proves nothing, as the runtime and its engine have open
 * what they need themselves: it has to be one of those that were `inherited` from the caller.
 */
export function keepPreservedFds(count: number, inherited: readonly number[]): void {
  for (let i = 0; i < count; i++) {
    const fd = (3 + i) as Fd;
    if (!inherited.includes(fd) || tryFcntl(fd, F_GETFD) === -EBADF) {
      throw new RuntimeError(
        "invalid-argument",
        `unable to stat preserved-fd ${i} (of ${count}): fd ${fd} is not open`,
      );
    }
    clearCloexec(fd);
  }
}
