import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_NOCTTY, O_RDONLY, O_RDWR } from "./constants/fcntl.ts";
import { CWD, close, openat } from "./open.ts";
import { saying } from "./testing/saying.ts";
import {
  getTermios,
  isTerminal,
  openPtyPeer,
  ptyNumber,
  rawTermios,
  setWindowSize,
  tryGetWindowSize,
  trySetTermios,
  unlockPty,
  withOutputOf,
  withoutReturns,
} from "./tty.ts";
import type { Fd } from "./types.ts";

const tty = suite("tty");

function withPty(body: (master: Fd, slave: Fd) => void): void {
  const master = openat(CWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
  unlockPty(master);
  const slave = openPtyPeer(master, O_RDWR | O_NOCTTY);
  try {
    body(master, slave);
  } finally {
    close(slave);
    close(master);
  }
}

tty("rawTermios: the flags of cfmakeraw(3) and nothing else", () => {
  const all = new Uint8Array(36).fill(0xff);
  const raw = new DataView(rawTermios(all).buffer);
  assert.is(raw.getUint32(0, true), 0xfffffa14); // IGNPAR INPCK IUCLC IXANY IXOFF … stay
  assert.is(raw.getUint32(4, true), 0xfffffffe);
  assert.is(raw.getUint32(8, true), 0xfffffeff); // PARENB goes, CS8 is all of CSIZE
  assert.is(raw.getUint32(12, true), 0xffff7fb4);
  assert.is(raw.getUint8(17 + 6), 1);
  assert.is(raw.getUint8(17 + 5), 0);
  assert.is(raw.getUint8(16), 0xff);
  assert.is(raw.getUint8(35), 0xff);
  assert.is(all[0], 0xff); // the original stays
});

tty("withOutputOf takes c_oflag, and withoutReturns takes ONLCR out of it", () => {
  const all = new Uint8Array(36).fill(0xff);
  const mixed = withOutputOf(new Uint8Array(36), all);
  assert.equal(
    [...mixed.keys()].filter((at) => mixed[at] !== 0),
    [4, 5, 6, 7],
  );
  assert.is(new DataView(withoutReturns(all).buffer).getUint32(4, true), 0xfffffffb);
});

tty("rawTermios of nothing sets CS8 and VMIN", () => {
  const expected = new Uint8Array(36);
  expected[8] = 0x30;
  expected[23] = 1;
  assert.equal(rawTermios(new Uint8Array(36)), expected);
});

tty("a pty takes the raw mode, and its own settings back", () => {
  withPty((_, slave) => {
    const before = getTermios(slave);
    assert.is(trySetTermios(slave, rawTermios(before)), 0);
    assert.equal(getTermios(slave), rawTermios(before));
    assert.is(trySetTermios(slave, before), 0);
    assert.equal(getTermios(slave), before);
  });
});

tty("the size, from either side", () => {
  withPty((master, slave) => {
    assert.equal(tryGetWindowSize(slave), { rows: 0, columns: 0 });
    setWindowSize(master, { rows: 43, columns: 132 });
    assert.equal(tryGetWindowSize(slave), { rows: 43, columns: 132 });
    assert.ok(ptyNumber(master) >= 0);
  });
});

tty("what is no terminal says so", () => {
  const fd = openat(CWD, "/dev/null", O_RDONLY);
  assert.is(isTerminal(fd), false);
  assert.is(tryGetWindowSize(fd), undefined);
  assert.throws(
    () => getTermios(fd),
    saying(`read terminal settings fd ${fd} </dev/null>: ENOTTY (inappropriate ioctl for device)`),
  );
  close(fd);
  withPty((master, slave) => assert.equal([isTerminal(master), isTerminal(slave)], [true, true]));
});

tty.run();
