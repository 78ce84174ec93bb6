/**
 * Which libseccomp there is. By absolute names only, as a bare one would also be looked for in the working directory,
 * and only a file that nobody but root can have written: it runs with every right that this program has.
 */
import { OpError } from "../../syscalls/error.ts";
import { CWD, tryStatx } from "../../syscalls/file.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";

/** Debian's directory for this architecture, then Fedora's and SUSE's, then Alpine's and Arch's. */
const directories = [
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  `/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  "/usr/lib64",
  "/lib64",
  "/usr/lib",
  "/lib",
];

/** The library's file, and what changes whenever it does: another version has another of these. */
export interface Library {
  readonly path: HostPath;
  readonly identity: string;
}

/** Finds it; the error names the field, since nothing else needs this library. */
export function findLibseccomp(): Library {
  for (const directory of directories) {
    const path = `${directory}/libseccomp.so.2` as HostPath;
    const stat = tryStatx(CWD, path, 0);
    if (typeof stat === "number") continue;
    if (stat.uid !== 0 || (stat.mode & 0o022) !== 0)
      throw new RuntimeError("safety", `linux.seccomp: ${path} may be written by others than root`);
    const { devMajor, devMinor, ino, size, mtimeSec, mtimeNsec, ctimeSec } = stat;
    const parts = [devMajor, devMinor, ino, size, mtimeSec, mtimeNsec, ctimeSec];
    return { path, identity: `${path} ${parts.join(" ")}` };
  }
  const where = directories.join(", ");
  throw new RuntimeError(
    "unsupported",
    `linux.seccomp needs libseccomp: there is no libseccomp.so.2 in ${where}`,
  );
}

/** What the library failed at, as a failure of this field. */
export function withField<T>(field: Parameters<OpError["askedBy"]>[0], act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(field) : error;
  }
}
