/** Descriptors that the caller hands on to the user's program: --preserve-fds N is 3 to 2+N. */
import { EBADF } from "../../syscalls/constants/errno.ts";
import { clearCloexec, F_GETFD, tryFcntl } from "../../syscalls/file.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";

/**
 * Checks that each of them is open, before anything of the runtime's own could take its number, and lets them
 * survive the execve.
 */
export function keepPreservedFds(count: number): void {
  for (let i = 0; i < count; i++) {
    const fd = (3 + i) as Fd;
    if (tryFcntl(fd, F_GETFD) === -EBADF) {
      throw new RuntimeError(
        "invalid-argument",
        `unable to stat preserved-fd ${i} (of ${count}): fd ${fd} is not open`,
      );
    }
    clearCloexec(fd);
  }
}
