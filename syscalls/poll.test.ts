import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pipe } from "./descriptor.ts";
import { writeAll } from "./io.ts";
import { close } from "./open.ts";
import { poll } from "./poll.ts";
import type { Fd } from "./types.ts";

const files = suite("poll");

files("poll: the events of each request in its place", () => {
  const [reader, writer] = pipe();
  const requests = [
    { fd: writer, events: 4 },
    { fd: reader, events: 1 },
    { fd: -1 as Fd, events: 1 },
    { fd: 9999 as Fd, events: 1 },
  ];
  assert.equal(poll(requests, 0), [4, 0, 0, 32]);
  writeAll(writer, new Uint8Array(1));
  assert.equal(poll(requests, -1), [4, 1, 0, 32]);
  close(writer);
  assert.equal(poll([{ fd: reader, events: 1 }], -1), [1 | 16]);
  close(reader);
  assert.equal(poll([], 1), []);
});

files.run();
