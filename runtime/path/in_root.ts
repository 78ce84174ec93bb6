/**
 * Paths inside a root file system that a hostile image may have filled with links. A path is (root descriptor,
 * relative path), resolved by the kernel as if the descriptor were "/", and what comes back is a descriptor:
 * what is checked is what is used. Nothing here joins a path of the container to a path of the host.
 */

import { EEXIST, ELOOP, ENOENT, ENOTDIR, EXDEV } from "../../syscalls/constants/errno.ts";
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR, S_IFLNK } from "../../syscalls/constants/stat.ts";
import { dupAbove } from "../../syscalls/descriptor.ts";
import { tryMkdirat, tryReadlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { close, openat, tryOpenat } from "../../syscalls/open.ts";
import { checked, closing } from "../../syscalls/scope.ts";
import { fstat, isType } from "../../syscalls/stat.ts";
import { type Failure, type Fd, failed } from "../../syscalls/types.ts";
import { safetyViolation } from "../errors.ts";
import { cleanPath } from "./clean_path.ts";
import { tryResolve } from "./resolve.ts";

/** How links on the way are treated: followed beneath the root, or refused altogether. */
export type Links = "follow-in-root" | "refuse";

/** Opens a path beneath the root; failure is an answer, minus errno. */
export function tryOpenInRoot(root: Fd, path: string, flags: number, links: Links): Fd | Failure {
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (links === "refuse" ? RESOLVE_NO_SYMLINKS : 0);
  return tryResolve(root, cleanPath(path) || ".", flags, resolve);
}

/** Opens a path beneath the root. */
export function openInRoot(root: Fd, path: string, flags: number, links: Links): Fd {
  const result = tryOpenInRoot(root, path, flags, links);
  if (!failed(result)) return result;
  throw refusedLink(path, -result, links) ?? OpError.from("open", path, -result);
}

/** Whether the path leads anywhere beneath the root. */
export function existsInRoot(root: Fd, path: string, links: Links): boolean {
  const result = tryOpenInRoot(root, path, O_PATH, links);
  if (!failed(result)) close(result);
  return !failed(result);
}

/** ELOOP where links are refused is an attack on the path rather than a loop. */
function refusedLink(path: string, errno: number, links: Links): Error | undefined {
  if (links !== "refuse" || (errno !== ELOOP && errno !== EXDEV)) return undefined;
  return safetyViolation(
    `${path} in the root file system leads through a symbolic link, which is refused here`,
  );
}

/**
 * The place to mount on: an O_PATH descriptor of an existing path, or of a directory or empty file made for it.
 * Missing parents are made one by one, each opened without following links before the next is made in it. A link that
 * leads nowhere is followed to where it would lead, beneath the root: images have such an /etc/resolv.conf.
 */
export function openOrCreateInRoot(root: Fd, path: string, kind: "directory" | "file", links: Links): Fd {
  const existing = tryOpenInRoot(root, path, O_PATH, links);
  if (!failed(existing)) return requireKind(existing, path, kind);
  if (existing !== -ENOENT)
    throw refusedLink(path, -existing, links) ?? OpError.from("open", path, -existing);
  // What changes after this is a link that is refused.
  if (links === "follow-in-root") return openOrCreateInRoot(root, resolveLinks(root, path), kind, "refuse");
  const parts = cleanPath(path).split("/");
  const name = parts.pop() ?? "";
  return closing(createDirectories(root, parts), (parent) =>
    kind === "directory" ? makeDirectory(parent, name, path) : makeFile(parent, name, path),
  );
}

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** Where a path leads that need not exist as a whole: every link in it replaced by what it says. */
export function resolveLinks(root: Fd, path: string): string {
  const left = cleanPath(path).split("/");
  const done: string[] = [];
  let followed = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    done.push(part);
    const target = linkTarget(root, done.join("/"));
    if (target === undefined) continue;
    if (++followed > MAX_LINKS) throw OpError.from("open", path, ELOOP);
    if (target.startsWith("/")) done.length = 0;
    else done.pop();
    left.unshift(...target.split("/"));
  }
  return `/${done.join("/")}`;
}

/** What a link says; undefined for what is no link, or not there. */
function linkTarget(root: Fd, path: string): string | undefined {
  const fd = tryOpenInRoot(root, path, O_PATH | O_NOFOLLOW, "refuse");
  if (failed(fd)) return undefined;
  return closing(fd, () => tryReadlinkat(fd, ""));
}

function requireKind(fd: Fd, path: string, kind: "directory" | "file"): Fd {
  return checked(fd, () => {
    const isDirectory = isType(fstat(fd), S_IFDIR);
    if (isDirectory === (kind === "directory")) return;
    // Docker turns "not a directory" into its hint about mounting a directory onto a file.
    throw OpError.from(
      "mount on",
      path,
      ENOTDIR,
      `it is ${isDirectory ? "a directory" : "no directory"}, the source is ${kind === "directory" ? "one" : "none"}`,
    );
  });
}

function createDirectories(root: Fd, parts: readonly string[]): Fd {
  let current = dupAbove(root, 3);
  for (let depth = 1; depth <= parts.length; depth++) {
    const prefix = parts.slice(0, depth).join("/");
    const found = tryOpenInRoot(root, prefix, O_PATH | O_DIRECTORY, "refuse");
    current = closing(current, (parent) => {
      if (!failed(found)) return found;
      if (found === -ENOENT) return makeDirectory(parent, parts[depth - 1] ?? "", `/${prefix}`);
      throw refusedLink(`/${prefix}`, -found, "refuse") ?? OpError.from("open", `/${prefix}`, -found);
    });
  }
  return current;
}

function makeDirectory(parent: Fd, name: string, path: string): Fd {
  const made = tryMkdirat(parent, name, 0o755);
  if (made < 0 && made !== -EEXIST) throw OpError.from("mkdir", path, -made);
  // Who was first may have been another container with this root file system. The open follows no link.
  const fd = tryOpenat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!failed(fd)) return fd;
  if (fd === -ENOTDIR || fd === -ELOOP) throw replaced(path);
  throw OpError.from("open", path, -fd);
}

/** What is there, in the end, is what counts: made here, or by another container with this root file system. */
function makeFile(parent: Fd, name: string, path: string): Fd {
  const made = tryOpenat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  if (!failed(made)) close(made);
  else if (made !== -EEXIST) throw OpError.from("create", path, -made);
  const fd = checked(openat(parent, name, O_PATH | O_NOFOLLOW), (fd) => {
    if (isType(fstat(fd), S_IFLNK)) throw replaced(path);
  });
  return requireKind(fd, path, "file");
}

function replaced(path: string): Error {
  return safetyViolation(`${path} in the root file system was replaced by something else`);
}
