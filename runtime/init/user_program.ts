/** The user's program: its working directory, its environment, where its file is, and the execve. */

import { asking } from "../../syscalls/asking.ts";
import { EACCES, EPERM, errnoMeaning, errnoName } from "../../syscalls/constants/errno.ts";
import { AT_EACCESS, O_NONBLOCK, O_RDONLY, X_OK } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR, S_IFREG } from "../../syscalls/constants/stat.ts";
import type { StringArray } from "../../syscalls/cstring.ts";
import { type CString, cstr, textOf } from "../../syscalls/cstring.ts";
import { OpError } from "../../syscalls/error.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import { execve, stringArray } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, isType, tryAccess, tryStatx } from "../../syscalls/stat.ts";
import { type ContainerPath, type Fd, failed } from "../../syscalls/types.ts";
import { getcwd, tryChdir } from "../../syscalls/working_directory.ts";
import { RuntimeError, safetyViolation } from "../errors.ts";
import { openOrCreateInRoot } from "../path/in_root.ts";
import { searchPath } from "../path/search.ts";
import { userOf } from "../proc/passwd.ts";

/** Everything that execve needs, allocated before the limits come into force. */
export interface UserProgram {
  readonly path: CString;
  readonly argv: StringArray;
  readonly envp: StringArray;
}

/**
 * Makes `process.cwd` where the image has no such directory, as runc does (rootfs_linux.go, prepareRootfs), while it
 * can be named beneath the root.
 */
export function createCwd(root: Fd, cwd: ContainerPath): void {
  try {
    asking("process.cwd", () => close(openOrCreateInRoot(root, cwd, "directory", "follow-in-root")));
  } catch (error) {
    throw error instanceof OpError ? cwdError(cwd, error.data.errno) : error;
  }
}

/** chdir to `process.cwd`; false when this identity may not enter it, and another may try. */
export function tryEnterCwd(cwd: string): boolean {
  const result = asking("process.cwd", () => tryChdir(cwd));
  if (result === -EACCES || result === -EPERM) return false;
  if (result < 0) throw cwdError(cwd, errnoName(-result));
  return true;
}

/** The same, where a failure is final. */
export function enterCwd(cwd: string): void {
  const result = asking("process.cwd", () => tryChdir(cwd));
  if (result < 0) throw cwdError(cwd, errnoName(-result));
}

/** The words are runc's, as engines know them. */
function cwdError(cwd: string, errno: string): RuntimeError {
  return new RuntimeError(
    "program",
    `chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed: ${errnoMeaning(errno)} (${errno})`,
  );
}

/** CVE-2024-21626: by a descriptor of the host the working directory may lie outside; the kernel then says so. */
export function verifyCwd(): void {
  const cwd = getcwd();
  if (!cwd.startsWith("/")) {
    throw safetyViolation(`current working directory is outside of container mount namespace root: ${cwd}`);
  }
}

/** Finds the program as a shell would, by the container's own PATH. */
export function findUserProgram(name: string, env: readonly string[]): string {
  const quoted = JSON.stringify(name);
  if (name.includes("/")) {
    const why = whyNotExecutable(name);
    if (why === undefined) return name;
    throw new RuntimeError("program", `exec: ${quoted}: ${why}`);
  }
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "";
  const found = searchPath(name, path, (candidate) => whyNotExecutable(candidate) === undefined);
  if (found !== undefined) return found;
  throw new RuntimeError("program", `exec: ${quoted}: executable file not found in $PATH`);
}

/** In the words of Go's exec.LookPath, which engines match; of a directory with what execve says. */
function whyNotExecutable(path: string): string | undefined {
  const stat = tryStatx(CWD, path, 0);
  if (typeof stat === "number") return `stat ${path}: ${meaningOf(-stat)}`;
  if (isType(stat, S_IFDIR)) return `${meaningOf(EACCES)} (it is a directory)`;
  const result = tryAccess(CWD, path, X_OK, AT_EACCESS);
  return result < 0 ? meaningOf(-result) : undefined;
}

function meaningOf(errno: number): string {
  return errnoMeaning(errnoName(errno));
}

/** Adds HOME from the container's passwd where the environment has none or an empty one, "/" if the user is not in it. */
export function withHome(env: readonly string[], uid: number): string[] {
  const others = env.filter((entry) => entry !== "HOME=");
  if (others.some((entry) => entry.startsWith("HOME="))) return others;
  return [...others, `HOME=${homeOf(uid) ?? "/"}`];
}

/** The image's file: opened so that a fifo does not hang, read only when regular, and bounded. */
function homeOf(uid: number): string | undefined {
  const fd = tryOpenat(CWD, "/etc/passwd", O_RDONLY | O_NONBLOCK);
  if (failed(fd)) return undefined;
  return closing(fd, () => {
    if (!isType(fstat(fd), S_IFREG)) return undefined;
    const bytes = readToEnd(fd, 1 << 20);
    if (bytes === undefined) return undefined;
    return userOf(uid, textOf(bytes, bytes.length))?.home;
  });
}

/** Allocates what execve needs; a NUL byte in an argument or a variable is refused here. */
export function prepareProgram(path: string, args: readonly string[], env: readonly string[]): UserProgram {
  return { path: cstr(path), argv: stringArray(args), envp: stringArray(env) };
}

/** execve(2); returning means that it failed, and that is thrown. */
export function execProgram(program: UserProgram): never {
  return asking("process.args", () => {
    const result = execve(program.path, program.argv, program.envp);
    throw OpError.from("exec", program.path, -result);
  });
}
