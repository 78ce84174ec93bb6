/**
 * Sealing: a command that puts a process into a container first re-executes itself from a private, read-only
 * view of its own file, because a container can reach that file by /proc/<pid>/exe (CVE-2019-5736). The second
 * start also has a constant environment: the number of a sealed memfd that carries, as data, what is needed of the
 * caller's. runc does as much in libcontainer/exeseal, CloneSelfExe.
 *
 * The order matters. The caller's descriptors are counted before anything of ours is open, which could be taken for one
 * of them. The environment is written and sealed next, then the program is opened by the first method that this host
 * allows, and executed by descriptor, so that no path is looked up again. The second start believes neither the
 * variable nor the memfd before it has asked the kernel what /proc/self/exe is: on a read-only file system, or sealed.
 */

import { EINVAL, EPERM, ESTALE } from "../../syscalls/constants/errno.ts";
import {
  AT_EMPTY_PATH,
  F_GETFL,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../../syscalls/constants/fcntl.ts";
import { S_IFREG } from "../../syscalls/constants/stat.ts";
import {
  clearCloexec,
  fdAt,
  getSeals,
  memfdCreate,
  setCloexec,
  tryAddSeals,
  tryFcntl,
} from "../../syscalls/descriptor.ts";
import { readDirectory, readlinkat } from "../../syscalls/directory.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { armFaults } from "../../syscalls/faults.ts";
import { readWhole, seekTo, sendfile, writeAll } from "../../syscalls/io.ts";
import { cloneTree, createFilesystem, MOUNT_ATTR_RDONLY, mountSetattr } from "../../syscalls/mount.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { execveFd, stringArray } from "../../syscalls/process.ts";
import { getrlimit, RLIMIT_NOFILE, trySetrlimit } from "../../syscalls/resource.ts";
import { checked, closing, scope } from "../../syscalls/scope.ts";
import { defaultSignal, SIGCHLD } from "../../syscalls/signal.ts";
import { type Environment, environment, environmentBytes, programArguments } from "../../syscalls/start.ts";
import { fstat, fstatfs, isType, statx, tryStatx } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import { lookUpIgnoredSignals } from "./ignored_signals.ts";

const ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
const SEALED_FD = "RUNT_SEALED_FD";

/**
 * Of the caller's environment only this is carried over: what is in the memory of a process that enters a container
 * can be read there by who has CAP_SYS_PTRACE.
 */
const CARRIED = [
  "DBUS_SESSION_BUS_ADDRESS",
  "DBUS_SYSTEM_BUS_ADDRESS",
  "LISTEN_FDNAMES",
  "LISTEN_FDS",
  "LISTEN_PID",
  "NOTIFY_SOCKET",
  "PATH",
  "USER",
  "XDG_RUNTIME_DIR",
  ...(globalThis.FAULT_INJECTION ? ["RUNT_FAULT"] : []),
];

/** The caller's environment, whichever start this is. */
export type CallerEnvironment = Environment;

/** What the first start tells the second. */
interface Carried {
  readonly environment: CallerEnvironment;
  /** A memfd with all of the environment, which only hooks of the runtime may get. */
  readonly whole: Fd;
  /** Descriptors from 3 on that the caller handed in, when the command line speaks of them. */
  readonly inherited: readonly number[];
  /** The caller's soft limit of open files, where it was raised. */
  readonly descriptorLimit?: number;
  /** The detached mount that the program runs from; it lives on without this descriptor. */
  readonly mount?: Fd | undefined;
}

/** As many descriptors as a command may have open at a time, with a dozen hierarchies of cgroups to enter. */
const DESCRIPTORS = 256n;

let carried: Carried | undefined;

/** The environment that the caller gave to the first start; in the second, the part of it that was carried over. */
export function callerEnvironment(): CallerEnvironment {
  return carried?.environment ?? environment(CARRIED);
}

/**
 * All of the caller's environment, for a hook that runs on its side and declares none. Read no earlier, and by no
 * process that will be in a container: see CARRIED.
 */
export function wholeEnvironment(): readonly string[] {
  if (carried === undefined) throw new Error("the environment of hooks is asked for before sealing");
  seekTo(carried.whole, 0);
  const text = decodeUtf8(readWhole(carried.whole));
  return text.split("\0").slice(0, -1);
}

/**
 * Closes what is left of sealing. To take a detached mount apart the kernel waits until every processor has gone through
 * a quiet state (namespace_unlock), milliseconds where many containers start at once. So the parent does it, as the last
 * that has the mount open, while it waits for its child.
 */
export function closeSealMount(): void {
  if (carried?.mount === undefined) return;
  close(carried.mount);
  carried = { ...carried, mount: undefined };
}

/** The caller's descriptors from 3 on: in the second start what else is open there is the runtime's own. */
export function inheritedDescriptors(): readonly number[] {
  return carried?.inherited ?? [];
}

/** Gives back the caller's soft limit of open files, in a process that will run another program. */
export function restoreDescriptorLimit(): void {
  if (carried?.descriptorLimit === undefined) return;
  const { hard } = getrlimit(0, RLIMIT_NOFILE);
  trySetrlimit(0, RLIMIT_NOFILE, { soft: BigInt(carried.descriptorLimit), hard });
}

/** True in the second start, after `sealSelf` has verified it. */
function isSealed(): boolean {
  return carried !== undefined;
}

/**
 * On the first start re-executes the program sealed and does not return; on the second verifies that it is
 * sealed, takes over the carried environment and returns. What was done before is done again, so call it first.
 */
export function sealSelf(): void {
  if (isSealed() || resumeSealed()) return;
  const variables: Environment = environment(CARRIED);
  const args = programArguments();
  const wanted = variables.LISTEN_FDS !== undefined || args.some((arg) => /preserve-fds|status-fd/.test(arg));
  // Before anything of ours is open that could be taken for the caller's.
  const inherited = wanted ? openDescriptors() : [];
  const whole = sealedFile("runt-hooks", environmentBytes());
  const limit = raiseDescriptorLimit();
  const { program, mount } = sealedProgram();
  if (mount !== undefined) clearCloexec(mount);
  const told: Carried = {
    environment: carriedOf(variables),
    whole,
    inherited,
    ...limit,
    ...(mount !== undefined && { mount }),
  };
  const payload = sealedFile("runt-environment", encodeUtf8(JSON.stringify(told)));
  const result = execveFd(program, stringArray(args), stringArray([`${SEALED_FD}=${payload}`]));
  throw OpError.from("execveat", "the sealed copy of this program", -result);
}

/**
 * In the second start of any command verifies that it is sealed and takes over what the first tells; false in a first. To
 * be called before the caller's environment is asked for, which a second start has only by this.
 */
export function resumeSealed(): boolean {
  carried = receive(environment([SEALED_FD])[SEALED_FD]);
  if (carried === undefined) return false;
  // With a caller that ignores it, children would be gone before they can be asked how they ended.
  defaultSignal(SIGCHLD);
  lookUpIgnoredSignals();
  armInjectedFaults();
  return true;
}

/** A memfd that survives the execve and can no longer be changed. */
function sealedFile(name: string, bytes: Uint8Array): Fd {
  const fd = memfdCreate(name);
  writeAll(fd, bytes);
  const sealed = seal(fd);
  clearCloexec(sealed);
  return sealed;
}

/** By seals; what has none, as there is no memfd_create(2), keeps no descriptor to write by, and nobody else has one. */
function seal(fd: Fd): Fd {
  const result = tryAddSeals(fd, ALL_SEALS);
  if (result >= 0) return fd;
  return closing(fd, () => {
    if (result !== -EINVAL && result !== -EPERM) throw OpError.from("seal", `fd ${fd}`, -result);
    return openat(CWD, `/proc/self/fd/${fd}`, O_RDONLY);
  });
}

function isSealedFile(fd: Fd): boolean {
  if (getSeals(fd) === ALL_SEALS) return true;
  const stat = tryStatx(fd, "", AT_EMPTY_PATH);
  if (typeof stat === "number" || !isType(stat, S_IFREG) || stat.nlink > 0) return false;
  return (tryFcntl(fd, F_GETFL) & (O_WRONLY | O_RDWR)) === 0;
}

function carriedOf(environment: CallerEnvironment): CallerEnvironment {
  return Object.fromEntries(CARRIED.map((name) => [name, environment[name]]));
}

/** A small soft limit is raised as far as the hard one lets it be; what it was has to be told. */
function raiseDescriptorLimit(): Pick<Carried, "descriptorLimit"> {
  const { soft, hard } = getrlimit(0, RLIMIT_NOFILE);
  if (soft >= DESCRIPTORS || soft >= hard) return {};
  trySetrlimit(0, RLIMIT_NOFILE, { soft: hard < DESCRIPTORS ? hard : DESCRIPTORS, hard });
  return { descriptorLimit: Number(soft) };
}

/** What is open from 3 on, all of it inherited. */
function openDescriptors(): number[] {
  return closing(openat(CWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY), (directory) =>
    readDirectory(directory)
      .map(({ name }) => Number(name))
      .filter((fd) => fd > 2 && fd !== directory),
  );
}

/**
 * What the first start has left, by the text of SEALED_FD. A caller's own variable of that name names no file that is
 * sealed, and is nothing to us; one that does, in a program that is not sealed, is an attack.
 */
function receive(text: string | undefined): Carried | undefined {
  const payload = fdAt(Number(text ?? Number.NaN));
  if (!Number.isSafeInteger(payload) || payload < 0 || !isSealedFile(payload)) return undefined;
  if (!exeIsSealed())
    throw new Error(`${SEALED_FD} is set, but this program does not run from a sealed file`);
  const bytes = closing(payload, () => {
    seekTo(payload, 0);
    return readWhole(payload);
  });
  const received = JSON.parse(decodeUtf8(bytes)) as Carried;
  setCloexec(received.whole);
  if (received.mount !== undefined) setCloexec(received.mount);
  return received;
}

/** In builds for tests: the faults that the caller's environment asks for. */
export function armInjectedFaults(): void {
  // Inside the condition: the bundler leaves nothing else out.
  if (globalThis.FAULT_INJECTION) {
    const { RUNT_FAULT } = callerEnvironment();
    if (RUNT_FAULT !== undefined) armFaults(RUNT_FAULT);
  }
}

/** Verified, not believed: the file behind /proc/self/exe is on a read-only mount, or sealed. */
function exeIsSealed(): boolean {
  return closing(
    openat(CWD, "/proc/self/exe", O_RDONLY),
    (exe) => fstatfs(exe).readOnly || isSealedFile(exe),
  );
}

/** A program to execute, and the detached mount that it is on, if it is on one. */
type Sealed = { readonly program: Fd; readonly mount?: Fd };

/** The first of three methods that works on this host. */
function sealedProgram(): Sealed {
  for (const method of [privateOverlay, readOnlyClone]) {
    try {
      return method();
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
    }
  }
  return { program: sealedMemfd() };
}

function ownPath(): { readonly directory: string; readonly name: string } {
  const path = readlinkat(CWD, "/proc/self/exe");
  const slash = path.lastIndexOf("/");
  return { directory: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}

/**
 * An overlay of the program's directory: the file system below cannot be reached through it, so there is nothing
 * to remount writable. A read-only overlay takes at least two lower directories; the second is never looked
 * into, as the program is found in the first. It only must not contain the first (ELOOP), nor in a user namespace
 * anything that is mounted below it (EINVAL), as /dev does on most hosts.
 */
function privateOverlay(): Sealed {
  try {
    return overlayWith("/dev");
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error;
    return overlayWith("/dev/pts");
  }
}

function overlayWith(second: string): Sealed {
  const { directory, name } = ownPath();
  const lowerdir = `${directory.replace(/[\\:]/g, "\\$&")}:${second}`;
  const detached = createFilesystem("overlay", [{ key: "lowerdir", value: lowerdir }], MOUNT_ATTR_RDONLY);
  return takeProgram(detached, name, directory);
}

/** A detached read-only clone of the file's mount: cheaper, but who has CAP_SYS_ADMIN could clone it writable. */
function readOnlyClone(): Sealed {
  const { directory, name } = ownPath();
  const detached = cloneTree(CWD, directory, false);
  mountSetattr(detached, false, { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 }, directory);
  return takeProgram(detached, name, directory);
}

function takeProgram(mount: Fd, name: string, directory: string): Sealed {
  return scope((owner) => {
    owner.own(mount);
    const program = owner.own(openat(mount, name, O_PATH));
    const seen = fstat(program);
    const own = statx(CWD, "/proc/self/exe", 0);
    if (seen.size !== own.size || seen.mtimeSec !== own.mtimeSec || seen.mtimeNsec !== own.mtimeNsec)
      throw OpError.from("seal", `${directory}/${name}`, ESTALE, "the program was replaced while it ran");
    return { program: owner.handOn(program), mount: owner.handOn(mount) };
  });
}

/** The last resort: a copy in memory. It costs the size of the program in memory and time at every start. */
function sealedMemfd(): Fd {
  return closing(openat(CWD, "/proc/self/exe", O_RDONLY), (exe) =>
    seal(
      checked(memfdCreate("runt", true), (copy) => {
        while (sendfile(copy, exe, 0x7ffff000) > 0);
      }),
    ),
  );
}
