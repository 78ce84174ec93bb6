/**
 * Libraries that are opened on demand. By absolute names only, as a bare one would also be looked for in the working
 * directory, and only a file that nobody but root can have written: it runs with every right that this program has.
 */
import { CWD, tryStatx } from "../syscalls/file.ts";
import type { HostPath } from "../syscalls/types.ts";
import { RuntimeError } from "./errors.ts";
import { inUserNamespace } from "./user_namespace.ts";

/** Debian's directory for this architecture, then Fedora's and SUSE's, then Alpine's and Arch's. */
const directories = [
  `/usr/lib/${"x" === String(1) ? "aarch64" : "x86_64"}-linux-gnu`,
  `/lib/${"x" === String(1) ? "aarch64" : "x86_64"}-linux-gnu`,
  "/usr/lib64",
  "/lib64",
  "/usr/lib",
  "/lib",
];

/** What owns the host's files where its root is not mapped (/proc/sys/kernel/overflowuid). */
const OVERFLOW_UID = 65534;

/** The library's file, and what changes whenever it does: another version has another of these. */
export interface Library {
  readonly path: HostPath;
  readonly identity: string;
}

/** Finds a library such as "libseccomp.so.2"; `asker` is what needs it, for the error. */
export function findLibrary(file: string, asker: string): Library {
  for (const directory of directories) {
    const path = `${directory}/${file}` as HostPath;
    const stat = tryStatx(CWD, path, 0);
    if (typeof stat === "number") continue;
    const roots = stat.uid === 0 || (stat.uid === OVERFLOW_UID && inUserNamespace());
    if (!roots || (stat.mode & 0o022) !== 0)
      throw new RuntimeError("safety", `${asker}: ${path} may be written by others than root`);
    const { devMajor, devMinor, ino, size, mtimeSec, mtimeNsec, ctimeSec } = stat;
    const parts = [devMajor, devMinor, ino, size, mtimeSec, mtimeNsec, ctimeSec];
    return { path, identity: `${path} ${parts.join(" ")}` };
  }
  const name = file.replace(/\.so\..*/, "");
  const where = directories.join(", ");
  throw new RuntimeError("unsupported", `${asker} needs ${name}: there is no ${file} in ${where}`);
}
