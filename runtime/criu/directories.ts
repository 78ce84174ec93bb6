/** The directories of a checkpoint: its images, and where criu works. */
import { EEXIST, ENOTDIR } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { tryMkdirat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { isType, tryStatx } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { OpenDirectory } from "./log.ts";
import type { CriuOptions, Directories } from "./options.ts";

/**
 * Makes what is missing of the path of the images. They hold all that the container has in memory, and are files for
 * the user alone, as is the directory; but for one with a user namespace of its own, whose root looks in it, as far as
 * names go, for what there may be.
 */
export function makeImageDirectory(path: HostPath, ownUsers: boolean): void {
  const parts = path.split("/");
  for (let i = 2; i <= parts.length; i++)
    make(parts.slice(0, i).join("/"), ownUsers && i === parts.length ? 0o711 : 0o700);
}

function make(path: string, mode: number): void {
  const made = tryMkdirat(CWD, path, mode);
  if (made < 0 && made !== -EEXIST) throw OpError.from("mkdir", path, -made);
}

/** Opens both; a work directory that is missing is made. */
export function openDirectories({ imagePath, workPath }: CriuOptions): Directories {
  const images = open(imagePath);
  if (workPath === undefined) return { images, work: undefined };
  make(workPath, 0o700);
  return { images, work: open(workPath) };
}

/** Closes both. */
export function closeDirectories({ images, work }: Directories): void {
  for (const directory of [images, work]) if (directory !== undefined) close(directory.fd);
}

/** Opens them once more, in the process that becomes criu and by their names: it may be in another mount namespace. */
export function openAgain({ images, work }: Directories): Fd[] {
  return [images, ...(work === undefined ? [] : [work])].map(({ path }) => open(path).fd);
}

const open = (path: HostPath): OpenDirectory => ({ fd: openat(CWD, path, O_RDONLY | O_DIRECTORY), path });

/** Throws, in runc's words, unless the images before these are in a directory that is named relative to these. */
export function requireParent(imagePath: HostPath, parentPath: string): void {
  if (parentPath === "") return;
  if (parentPath.startsWith("/"))
    throw new RuntimeError("invalid-argument", "--parent-path must be relative");
  const path = `${imagePath}/${parentPath}`;
  const found = tryStatx(CWD, path, 0);
  const errno = typeof found === "number" ? -found : isType(found, S_IFDIR) ? 0 : ENOTDIR;
  if (errno !== 0) throw OpError.from("invalid --parent-path: stat", path, errno);
}
