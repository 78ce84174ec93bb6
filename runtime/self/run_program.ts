/** Runs a program of the host to its end and collects what it prints. */
import { O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { cstr, textOf } from "../../syscalls/cstring.ts";
import { dup3, fdAt, pipe } from "../../syscalls/descriptor.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { type ExitInfo, execve, exitGroup, stringArray, waitFor } from "../../syscalls/process.ts";
import { scope } from "../../syscalls/scope.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { closeAllFrom, disinherit } from "./disinherit.ts";
import { fork } from "./fork.ts";

/** How a program ended, and its standard output and error in one text. */
export interface Captured {
  readonly exit: ExitInfo | undefined;
  readonly output: string;
}

/** Runs a program of the host by its path, with nothing on its standard input. */
export function runProgram(
  path: HostPath,
  argv: readonly string[],
  environment: readonly string[],
): Captured {
  const [file, args, envp] = [cstr(path), stringArray(argv), stringArray(environment)];
  return scope((owner) => {
    const [output, input] = owner.ownBoth(pipe());
    const nothing = owner.own(openat(CWD, "/dev/null", O_RDWR));
    const { pid, pidfd } = fork(0, () => {
      [nothing, input, input].forEach((fd, standard) => {
        dup3(fd, fdAt(standard), 0);
      });
      closeAllFrom(3);
      disinherit();
      exitGroup(execve(file, args, envp) < 0 ? 127 : 0);
    });
    owner.own(pidfd);
    // Else the program's end would not be the end of its output.
    owner.closeNow(input);
    const bytes = readToEnd(output);
    return { exit: waitFor(pid), output: textOf(bytes, bytes.length) };
  });
}
