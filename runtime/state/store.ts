/**
 * State on disk: <root>/<id>/state.json, replaced by rename, and beside it config.json, the configuration as it was at
 * create. The directory is also the container's lock, by flock, so that two commands that change one container wait for
 * each other; commands that only read do not wait.
 */

import { DT_DIR } from "../../syscalls/constants/dirent.ts";
import { EACCES, EEXIST, EISDIR, ENOENT, EROFS } from "../../syscalls/constants/errno.ts";
import {
  AT_REMOVEDIR,
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "../../syscalls/constants/fcntl.ts";
import { tryFlock } from "../../syscalls/descriptor.ts";
import { readDirectory, tryMkdirat, tryUnlinkat } from "../../syscalls/directory.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readWhole } from "../../syscalls/io.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { checked, closing } from "../../syscalls/scope.ts";
import { fstat, tryStatx } from "../../syscalls/stat.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { parseJson, stringifyJson } from "../config/json.ts";
import type { Linux, RunnableSpec } from "../config/types.ts";
import { notFound, RuntimeError } from "../errors.ts";
import { replaceFile } from "../path/replace_file.ts";
import { requireValidId, SECCOMP_CACHE } from "./container_id.ts";
import type { ProcessIdentity } from "./init_pid.ts";

/** What most commands need of the configuration: reading all of it takes longer than all else that they do. */
export type RecordedConfig = Pick<RunnableSpec, "ociVersion" | "annotations" | "hooks"> & {
  readonly linux?: Pick<Linux, "namespaces">;
};

/** That part of a configuration. */
export function recordedPart({ ociVersion, annotations, hooks, linux }: RunnableSpec): RecordedConfig {
  return {
    ociVersion,
    ...(annotations && { annotations }),
    ...(hooks && { hooks }),
    ...(linux?.namespaces && { linux: { namespaces: linux.namespaces } }),
  };
}

/** What state.json holds. */
export interface SavedState {
  readonly id: string;
  readonly bundle: HostPath;
  readonly rootfs: HostPath;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly created: string;
  /** pid 0 until the init process has been made. */
  readonly init: ProcessIdentity;
  /** Controller to host path of the container's cgroups. */
  readonly cgroupPaths: Readonly<Record<string, HostPath>>;
  /** The unit around the cgroups, when systemd is their driver: no later command is told so again. */
  readonly systemd?: {
    readonly name: string;
    readonly bus: "system" | "user";
    readonly address?: string;
  };
  /** Groups of resctrl that its processes are in, and those that go with it, in the order of removing. */
  readonly resctrl?: { readonly join: readonly HostPath[]; readonly remove: readonly HostPath[] };
  /** Without a mount namespace: the id of the host's mount on which those of the container were made. */
  readonly mountedOn?: number;
  /** The session keyring that exec joins; "" when the caller's was kept. */
  readonly keyring: string;
  /**
   * What the standard streams of the program were open on when it started, in the words of /proc; absent with a terminal.
   * A pipe of the caller's is replaced at a restore.
   */
  readonly standardStreams?: readonly string[];
  readonly config: RecordedConfig;
}

/** A container's directory, open. */
export interface StateDir {
  readonly id: string;
  readonly root: HostPath;
  readonly fd: Fd;
}

const STATE = "state.json";
const CONFIG = "config.json";
/** State is written by us; a file larger than this is not ours. */
const MAX_SIZE = 64 * 1024 * 1024;

const NOT_OURS = "an ordinary user keeps containers in $XDG_RUNTIME_DIR, or where --root says";

/**
 * Makes the state root if it is missing, and refuses one that everybody may write to. Whose it is otherwise, and who is
 * in its group, is for who names it to know.
 */
export function ensureRoot(root: HostPath, mode = 0o700): Fd {
  const parts = root.split("/");
  for (let i = 2; i <= parts.length; i++) {
    const path = parts.slice(0, i).join("/");
    const made = tryMkdirat(CWD, path, i === parts.length ? mode : 0o755);
    // EROFS is said before EEXIST by some file systems; the open below tells whether the directory is there.
    if (made < 0 && made !== -EEXIST && made !== -EROFS)
      throw OpError.from("mkdir", path, -made, made === -EACCES ? NOT_OURS : undefined);
  }
  const fd = tryOpenat(CWD, root, O_RDONLY | O_DIRECTORY);
  if (failed(fd)) throw OpError.from("open", root, -fd, fd === -EACCES ? NOT_OURS : undefined);
  return checked(fd, () => {
    if ((fstat(fd).mode & 0o002) !== 0)
      throw new RuntimeError("safety", `state root ${root} may be written by everybody`);
  });
}

/** Makes <root>/<id>, and a missing root with `rootMode`, which exactly one caller can; the directory is the claim on the id. */
export function createStateDir(root: HostPath, id: string, rootMode?: number): StateDir {
  requireValidId(id);
  return closing(ensureRoot(root, rootMode), (rootFd) => {
    const made = tryMkdirat(rootFd, id, 0o711);
    if (made === -EEXIST) throw new RuntimeError("exists", "container with given ID already exists");
    if (made < 0) throw OpError.from("mkdir", `${root}/${id}`, -made);
    const fd = openat(rootFd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    return { id, root, fd };
  });
}

/** Opens <root>/<id>; undefined when it is not there. */
export function tryOpenStateDir(root: HostPath, id: string): StateDir | undefined {
  requireValidId(id);
  const fd = tryOpenat(CWD, `${root}/${id}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd === -ENOENT) return undefined;
  if (failed(fd)) throw OpError.from("open", `${root}/${id}`, -fd);
  return { id, root, fd: fd };
}

/** Opens <root>/<id>. */
export function openStateDir(root: HostPath, id: string): StateDir {
  const dir = tryOpenStateDir(root, id);
  if (dir === undefined) throw notFound();
  return dir;
}

/** Those that this command has locked itself. */
const held = new WeakSet<StateDir>();

/** Waits for other commands that change this container; the lock ends with the descriptor. */
export function lock(dir: StateDir): void {
  const result = tryFlock(dir.fd, LOCK_EX);
  if (result < 0) throw OpError.from("flock", `${dir.root}/${dir.id}`, -result);
  held.add(dir);
}

/** Gives the lock back before the descriptor is closed. */
export function unlock(dir: StateDir): void {
  tryFlock(dir.fd, LOCK_UN);
  held.delete(dir);
}

/** True while another command holds the lock; does not wait. */
export function isLocked(dir: StateDir): boolean {
  if (held.has(dir)) return false;
  const other = openat(dir.fd, ".", O_RDONLY | O_DIRECTORY);
  return closing(other, () => tryFlock(other, LOCK_EX | LOCK_NB) < 0);
}

/** Replaces state.json as a whole. */
export function writeState(dir: StateDir, state: SavedState): void {
  const bytes = encodeUtf8(stringifyJson(state));
  replaceFile(dir.fd, STATE, bytes, 0o600, `${dir.root}/${dir.id}/${STATE}`);
}

/** Keeps the configuration for later commands, on which a later edit of the bundle's has no effect. */
export function writeSavedConfig(dir: StateDir, config: RunnableSpec): void {
  replaceFile(dir.fd, CONFIG, encodeUtf8(stringifyJson(config)), 0o600, `${dir.root}/${dir.id}/${CONFIG}`);
}

/** Reads state.json. A directory without one is a container that never was; damaged text is an error of its own. */
export function readState(dir: StateDir): SavedState {
  const value = readFile(dir, STATE);
  if (!isSavedState(value) || value.id !== dir.id)
    throw new RuntimeError("invalid-argument", `${pathOf(dir, STATE)} is not the state of a container`);
  return value;
}

/** Reads the configuration as it was at create. */
export function readSavedConfig(dir: StateDir): RunnableSpec {
  const value = readFile(dir, CONFIG) as RunnableSpec | null;
  if (typeof value?.process !== "object")
    throw new RuntimeError(
      "invalid-argument",
      `${pathOf(dir, CONFIG)} is not the configuration of a container`,
    );
  return value;
}

const pathOf = (dir: StateDir, name: string): string => `${dir.root}/${dir.id}/${name}`;

function readFile(dir: StateDir, name: string): unknown {
  const fd = tryOpenat(dir.fd, name, O_RDONLY | O_NOFOLLOW);
  if (fd === -ENOENT) throw notFound();
  if (failed(fd)) throw OpError.from("open", pathOf(dir, name), -fd);
  const bytes = closing(fd, () => readWhole(fd, MAX_SIZE));
  if (bytes === undefined)
    throw new RuntimeError(
      "invalid-argument",
      `${pathOf(dir, name)} is larger than any state of a container`,
    );
  return parseJson(bytes, pathOf(dir, name));
}

function isSavedState(value: unknown): value is SavedState {
  const state = value as SavedState | null;
  return (
    typeof state === "object" &&
    state !== null &&
    typeof state.id === "string" &&
    typeof state.bundle === "string" &&
    typeof state.rootfs === "string" &&
    typeof state.created === "string" &&
    Number.isSafeInteger(state.init?.pid) &&
    typeof state.init.startTime === "string" &&
    typeof state.init.bootId === "string" &&
    typeof state.cgroupPaths === "object" &&
    state.cgroupPaths !== null &&
    Object.values(state.cgroupPaths).every(isAbsolute) &&
    (state.systemd === undefined ||
      (typeof state.systemd.name === "string" &&
        ["system", "user"].includes(state.systemd.bus) &&
        ["string", "undefined"].includes(typeof state.systemd.address))) &&
    [...(state.resctrl?.join ?? []), ...(state.resctrl?.remove ?? [])].every(isAbsolute) &&
    (state.standardStreams ?? []).every((name) => typeof name === "string") &&
    typeof state.config?.ociVersion === "string"
  );
}

function isAbsolute(path: unknown): boolean {
  return typeof path === "string" && path.startsWith("/");
}

/** Removes the directory with all that is in it, state.json last: cut short, it can be done again. */
export function removeStateDir(dir: StateDir): void {
  for (const name of namesIn(dir.fd)) if (name !== STATE) removeEntry(dir.fd, name);
  tryUnlinkat(dir.fd, STATE);
  const removed = tryUnlinkat(CWD, `${dir.root}/${dir.id}`, AT_REMOVEDIR);
  if (removed < 0 && removed !== -ENOENT) throw OpError.from("rmdir", `${dir.root}/${dir.id}`, -removed);
}

/** A file, or a directory of files. */
function removeEntry(dir: Fd, name: string): void {
  if (tryUnlinkat(dir, name) !== -EISDIR) return;
  const inner = tryOpenat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (failed(inner)) return;
  closing(inner, () => {
    for (const file of namesIn(inner)) tryUnlinkat(inner, file);
  });
  tryUnlinkat(dir, name, AT_REMOVEDIR);
}

/** The names in the directory; none when another command has removed it meanwhile. */
function namesIn(dir: Fd): string[] {
  const listing = tryOpenat(dir, ".", O_RDONLY | O_DIRECTORY);
  if (failed(listing)) return [];
  return closing(listing, () => {
    try {
      return readDirectory(listing).map(({ name }) => name);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return [];
      throw error;
    }
  });
}

/** The ids below the root, in the order of their names (the cache among them is none); none when the root is not there. */
export function listIds(root: HostPath): string[] | undefined {
  const fd = tryOpenat(CWD, root, O_RDONLY | O_DIRECTORY);
  if (fd === -ENOENT) return undefined;
  if (failed(fd)) throw OpError.from("open", root, -fd);
  return closing(fd, () => readDirectory(fd))
    .filter((entry) => entry.type === DT_DIR && entry.name !== SECCOMP_CACHE)
    .map((entry) => entry.name)
    .sort();
}

/** The uid that owns the container's directory. */
export function ownerOf(dir: StateDir): number {
  const stat = tryStatx(dir.fd, ".", 0);
  return typeof stat === "number" ? 0 : stat.uid;
}
