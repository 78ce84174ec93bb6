/** Programs of the host, by their names. */
import { X_OK } from "../../syscalls/constants/fcntl.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryAccess } from "../../syscalls/stat.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { searchPath } from "../path/search.ts";
import { callerEnvironment } from "./seal.ts";

/** Engines may call the runtime with no PATH at all. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The caller's $PATH, or where programs are on a usual host. */
export function pathVariable(): string {
  return callerEnvironment().PATH || DEFAULT_PATH;
}

/** Where in $PATH a program is; relative directories in it do not count. The words are those of Go's exec.LookPath. */
export function findProgram(name: string): HostPath {
  const found = searchPath(
    name,
    pathVariable(),
    (candidate) => candidate.startsWith("/") && tryAccess(CWD, candidate, X_OK, 0) === 0,
  );
  if (found !== undefined) return found as HostPath;
  throw new RuntimeError("child", `exec: "${name}": executable file not found in $PATH`);
}
