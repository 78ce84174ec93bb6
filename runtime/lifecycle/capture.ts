/** Runs a program of the host to its end and collects what it prints. */

import { O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { cstr, textOf } from "../../syscalls/cstring.ts";
import { dup3, fdAt, pipe } from "../../syscalls/descriptor.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { execve, exitGroup, stringArray, waitFor } from "../../syscalls/process.ts";
import { RuntimeError } from "../errors.ts";
import { closeAllFrom, disinherit } from "../self/disinherit.ts";
import { findProgram, pathVariable } from "../self/find_program.ts";
import { fork } from "../self/fork.ts";
import { callerEnvironment } from "../self/seal.ts";

/** Standard output and error of the program in one text; a status other than 0 is an error that repeats it. */
export function capture(name: string, args: readonly string[]): string {
  const environment = { PATH: pathVariable(), ...callerEnvironment() };
  const path = cstr(findProgram(name));
  const argv = stringArray([name, ...args]);
  const envp = stringArray(
    Object.entries(environment).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])),
  );
  const [output, input] = pipe();
  const nothing = openat(CWD, "/dev/null", O_RDWR);
  const { pid, pidfd } = fork(0, () => {
    [nothing, input, input].forEach((fd, standard) => {
      dup3(fd, fdAt(standard), 0);
    });
    closeAllFrom(3);
    disinherit();
    exitGroup(execve(path, argv, envp) < 0 ? 127 : 0);
  });
  for (const fd of [input, nothing]) close(fd);
  const bytes = readToEnd(output) ?? new Uint8Array(0);
  for (const fd of [output, pidfd]) close(fd);
  const text = textOf(bytes, bytes.length);
  const exit = waitFor(pid);
  if (exit?.status === 0) return text;
  const how = exit?.signal ? `signal ${exit.signal}` : `exit status ${exit?.status}`;
  throw new RuntimeError("child", `${name}: ${how}: ${text.trimEnd()}`);
}
