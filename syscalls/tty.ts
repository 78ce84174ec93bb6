/** Terminals: ioctl_tty(2). */

import {
  TCGETS,
  TCSETS,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCGWINSZ,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "./constants/ioctl.ts";
import { Struct } from "./struct.ts";
import { call, callForFd, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

/** The size of struct termios as the kernel has it (asm-generic/termbits.h). */
const TERMIOS_SIZE = 36;

/** True when the descriptor is a terminal (isatty(3)). */
export function isTerminal(fd: Fd): boolean {
  return tryCall("ioctl", [fd, TCGETS, new Uint8Array(TERMIOS_SIZE)]) === 0;
}

/** TCGETS: the settings as opaque bytes. */
export function getTermios(fd: Fd): Uint8Array {
  const termios = new Uint8Array(TERMIOS_SIZE);
  call("ioctl", [fd, TCGETS, termios]);
  return termios;
}

/** TCSETS; failure is an answer. */
export function trySetTermios(fd: Fd, termios: Uint8Array): ResultOrErrno {
  return tryCall("ioctl", [fd, TCSETS, termios]);
}

/** The raw mode of cfmakeraw(3). */
export function rawTermios(termios: Uint8Array): Uint8Array {
  const raw = termios.slice();
  const view = new DataView(raw.buffer);
  // c_iflag: IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  view.setUint32(0, view.getUint32(0, true) & ~0x5eb, true);
  // c_oflag: OPOST
  view.setUint32(4, view.getUint32(4, true) & ~0x1, true);
  // c_cflag: CSIZE PARENB, then CS8
  view.setUint32(8, (view.getUint32(8, true) & ~0x130) | 0x30, true);
  // c_lflag: ECHO ECHONL ICANON ISIG IEXTEN
  view.setUint32(12, view.getUint32(12, true) & ~0x804b, true);
  raw[17 + 6] = 1; // VMIN
  raw[17 + 5] = 0; // VTIME
  return raw;
}

/** The same settings, with output processing (OPOST) as in `from`. */
export function withOutputOf(termios: Uint8Array, from: Uint8Array): Uint8Array {
  const mixed = termios.slice();
  mixed.set(from.subarray(4, 8), 4); // c_oflag
  return mixed;
}

/** The same settings, but a line ends in a newline alone (ONLCR is off). */
export function withoutReturns(termios: Uint8Array): Uint8Array {
  const plain = termios.slice();
  plain[4] = (plain[4] ?? 0) & ~0x4; // c_oflag
  return plain;
}

/** struct winsize: rows and columns. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** TIOCGWINSZ; undefined when the descriptor has none. */
export function tryGetWindowSize(fd: Fd): WindowSize | undefined {
  const size = new Struct(8);
  if (tryCall("ioctl", [fd, TIOCGWINSZ, size.bytes]) < 0) return undefined;
  return { rows: size.getU16(0), columns: size.getU16(2) };
}

/** TIOCSWINSZ. */
export function setWindowSize(fd: Fd, size: WindowSize): void {
  const bytes = new Struct(8).u16(0, size.rows).u16(2, size.columns).bytes;
  call("ioctl", [fd, TIOCSWINSZ, bytes]);
}

/** TIOCSCTTY: makes the terminal the controlling one of this session. */
export function setControllingTerminal(fd: Fd): void {
  call("ioctl", [fd, TIOCSCTTY, 0]);
}

/** TIOCSPTLCK with 0: unlockpt(3). */
export function unlockPty(master: Fd): void {
  call("ioctl", [master, TIOCSPTLCK, new Int32Array([0])]);
}

/** TIOCGPTN: the number N of /dev/pts/N. */
export function ptyNumber(master: Fd): number {
  const number = new Uint32Array(1);
  call("ioctl", [master, TIOCGPTN, number]);
  return number[0] ?? 0;
}

/** TIOCGPTPEER: the slave by the master's descriptor, so that no path is followed. */
export function openPtyPeer(master: Fd, flags: number): Fd {
  return callForFd("ioctl", [master, TIOCGPTPEER, flags]);
}
