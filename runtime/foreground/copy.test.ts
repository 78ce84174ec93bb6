import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_SETFL, O_NONBLOCK } from "../../syscalls/constants/fcntl.ts";
import { POLLIN, POLLOUT } from "../../syscalls/constants/poll.ts";
import { pipe, tryFcntl } from "../../syscalls/descriptor.ts";
import { tryRead, tryWrite } from "../../syscalls/io.ts";
import { close } from "../../syscalls/open.ts";
import type { Fd } from "../../syscalls/types.ts";
import { Copy } from "./copy.ts";
import { discardingSink, ownEnd, PIPE_BUF, type Sink, type Source, sinkOf, sourceOf } from "./end_point.ts";

const copies = suite("Copy");

/** A source of these reads: bytes, or an errno. */
function source(reads: (Uint8Array | number)[], mayBlock = false): Source {
  return {
    fd: 1000 as Fd,
    mayBlock,
    kind: "other",
    read(buffer) {
      const next = reads.shift() ?? 0;
      if (typeof next === "number") return next;
      buffer.set(next);
      return next.length;
    },
  };
}

/** A sink that takes so much at a time, or answers with an errno; what it got is in `taken`. */
function sink(answers: number[], mayBlock = false): Sink & { readonly taken: number[] } {
  const taken: number[] = [];
  return {
    fd: 1001 as Fd,
    mayBlock,
    kind: "other",
    taken,
    write(bytes) {
      const count = Math.min(answers.shift() ?? bytes.length, bytes.length);
      if (count > 0) taken.push(...bytes.subarray(0, count));
      return count;
    },
  };
}

const EAGAIN = -11;
const EPIPE = -32;
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const readable = new Set([1000 as Fd]);
const writable = new Set([1001 as Fd]);

copies("goes on until there is nothing, then waits for more, and ends with its source", () => {
  let ends = 0;
  const to = sink([]);
  const copy = new Copy(source([bytes(1, 2), bytes(3), EAGAIN, bytes(4), 0]), to, () => ends++);
  assert.equal(copy.request(), { fd: 1000, events: POLLIN });
  assert.is(copy.move(readable), false);
  assert.equal(to.taken, [1, 2, 3]);
  assert.equal(copy.request(), { fd: 1000, events: POLLIN });
  copy.move(readable);
  assert.equal([to.taken, copy.open, ends, copy.request()], [[1, 2, 3, 4], false, 1, undefined]);
  copy.end();
  assert.is(ends, 1);
});

copies("nothing is read that cannot be written, and nothing of it is lost", () => {
  const to = sink([2, EAGAIN, EAGAIN]);
  const copy = new Copy(source([bytes(1, 2, 3), EAGAIN]), to, () => {});
  copy.move(readable);
  assert.equal([to.taken, copy.pending], [[1, 2], true]);
  assert.equal(copy.request(), { fd: 1001, events: POLLOUT });
  copy.move(writable);
  assert.is(copy.pending, true);
  copy.move(writable);
  copy.move(writable);
  assert.equal([to.taken, copy.pending], [[1, 2, 3], false]);
});

copies("where a call may wait there is one for each poll, of what surely has room", () => {
  const to = sink([], true);
  const copy = new Copy(source([new Uint8Array(PIPE_BUF + 5), bytes(1)], true), to, () => {});
  copy.move(writable);
  assert.is(to.taken.length, 0);
  copy.move(readable);
  assert.equal([to.taken.length, copy.pending], [0, true]);
  copy.move(writable);
  assert.is(to.taken.length, PIPE_BUF);
  copy.move(readable); // not what it waits for
  assert.is(to.taken.length, PIPE_BUF);
  copy.move(writable);
  assert.equal([to.taken.length, copy.pending], [PIPE_BUF + 5, false]);
});

copies("gives way to others after some rounds", () => {
  const endless: Source = { ...source([]), read: () => 1 };
  const to = sink([]);
  const copy = new Copy(endless, to, () => {});
  assert.is(copy.move(readable), true);
  assert.ok(to.taken.length > 1 && to.taken.length < 100);
});

copies("a sink that takes no more ends it, unless it is patient", () => {
  let ends = 0;
  const from = [bytes(1), bytes(2), EAGAIN];
  new Copy(source([...from]), sink([EPIPE]), () => ends++).move(readable);
  assert.is(ends, 1);
  const copy = new Copy(source([...from]), discardingSink(sink([EPIPE, EPIPE])), () => ends++);
  copy.move(readable);
  assert.equal([copy.open, copy.pending, ends], [true, false, 1]);
});

copies("from pipe to pipe: within the kernel, and neither is waited for in vain", () => {
  const [from, writer] = pipe();
  const [reader, to] = pipe();
  let ends = 0;
  // Blocking, as the caller's are.
  const copy = new Copy(sourceOf(from), sinkOf(to), () => ends++);
  const both = new Set([from, to]);
  tryFcntl(writer, F_SETFL, O_NONBLOCK);
  tryFcntl(reader, F_SETFL, O_NONBLOCK);
  let sent = 0;
  for (let turn = 0; turn < 8; turn++) {
    const count = tryWrite(writer, new Uint8Array(65536).fill(turn));
    if (count > 0) sent += count;
    copy.move(both);
  }
  assert.ok(sent >= 2 * 65536, "one pipe and the other are full");
  close(writer);
  const buffer = new Uint8Array(65536);
  let received = 0;
  for (let turn = 0; turn < 100 && copy.open; turn++) {
    for (let count = tryRead(reader, buffer); count > 0; count = tryRead(reader, buffer)) received += count;
    copy.move(both);
  }
  for (let count = tryRead(reader, buffer); count > 0; count = tryRead(reader, buffer)) received += count;
  assert.equal([received, ends], [sent, 1]);
  for (const fd of [from, reader, to]) close(fd);
});

copies("an end of our own is tried at once", () => {
  const [reader, writer] = pipe(O_NONBLOCK);
  const end = ownEnd(reader, "pipe");
  assert.equal([end.mayBlock, end.read(new Uint8Array(1))], [false, EAGAIN]);
  assert.is(sourceOf(reader).mayBlock, true, "whose flags nobody knows");
  close(reader);
  close(writer);
});

copies.run();
