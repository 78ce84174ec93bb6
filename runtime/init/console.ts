/** The terminal of the container: a pty of its own devpts, checked by descriptor (CVE-2025-52565). */

import { O_NOCTTY, O_NOFOLLOW, O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { DEVPTS_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { TTYAUX_MAJOR, UNIX98_PTY_SLAVE_MAJOR } from "../../syscalls/constants/major.ts";
import { S_IFCHR } from "../../syscalls/constants/stat.ts";
import { dup3, STREAMS } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { sendMessage } from "../../syscalls/socket.ts";
import { fstat, fstatfs, isType } from "../../syscalls/stat.ts";
import {
  openPtyPeer,
  ptyNumber,
  setControllingTerminal,
  setWindowSize,
  unlockPty,
  type WindowSize,
} from "../../syscalls/tty.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { safetyViolation } from "../errors.ts";
import { openInRoot, openOrCreateInRoot } from "../path/in_root.ts";
import type { MountApi } from "./mount_api.ts";

/** The inode of ptmx in every devpts (fs/devpts/inode.c) and its minor number. */
const PTMX_INODE = 2n;
const PTMX_MINOR = 2;

/** A pty: the side that is sent away, and the side that becomes the process's terminal. */
interface Pty {
  readonly master: Fd;
  readonly slave: Fd;
}

/** Makes the init process's pty, binds it on /dev/console, sends the master through `socket`, and returns the slave. */
export function createConsole(api: MountApi, root: Fd, socket: Fd, size: WindowSize | undefined): Fd {
  const pty = openPty(root, size);
  closing(openOrCreateInRoot(root, "/dev/console", "file", "refuse"), (target) =>
    // Before the master is somebody else's, who may close it, upon which the slave can be bound no more.
    closing(api.cloneTree(pty.slave, "", false), (clone) => api.moveMountOnto(clone, target, "/dev/console")),
  );
  return handOver(pty, socket);
}

/** Makes a pty of the container's devpts, sends the master through `socket`, and returns the slave. */
export function openConsole(root: Fd, socket: Fd, size: WindowSize | undefined): Fd {
  return handOver(openPty(root, size), socket);
}

function openPty(root: Fd, size: WindowSize | undefined): Pty {
  const master = openInRoot(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, "refuse");
  const stat = fstat(master);
  const isPtmx =
    isType(stat, S_IFCHR) &&
    stat.rdevMajor === TTYAUX_MAJOR &&
    stat.rdevMinor === PTMX_MINOR &&
    stat.ino === PTMX_INODE;
  if (!isPtmx || fstatfs(master).magic !== DEVPTS_SUPER_MAGIC) {
    throw safetyViolation("/dev/pts/ptmx in the container is not the ptmx of a devpts");
  }
  unlockPty(master);
  const slave = openPtyPeer(master, O_RDWR | O_NOCTTY);
  if (fstat(slave).rdevMajor !== UNIX98_PTY_SLAVE_MAJOR || fstatfs(slave).magic !== DEVPTS_SUPER_MAGIC) {
    throw safetyViolation("the peer of the container's ptmx is not a pty of a devpts");
  }
  if (size !== undefined) setWindowSize(master, size);
  return { master, slave };
}

function handOver({ master, slave }: Pty, socket: Fd): Fd {
  // The name travels as the payload, which must not be empty; the receivers look at the descriptor.
  sendMessage(socket, encodeUtf8(`/dev/pts/${ptyNumber(master)}`), master);
  close(master);
  close(socket);
  return slave;
}

/** Makes the slave this session's controlling terminal and its standard streams. */
export function becomeTerminal(slave: Fd): void {
  setControllingTerminal(slave);
  useForStdio(slave);
}

/** Makes the slave the standard streams of this process and of what it forks. */
export function useForStdio(slave: Fd): void {
  for (const stream of STREAMS) dup3(slave, stream, 0);
  close(slave);
}
