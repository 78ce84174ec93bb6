import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ENOENT } from "./constants/errno.ts";
import { F_GETFD, FD_CLOEXEC } from "./constants/fcntl.ts";
import { POLLIN } from "./constants/poll.ts";
import { tryFcntl } from "./descriptor.ts";
import { write } from "./io.ts";
import { drain, eventfd, IN_MODIFY, inotifyInit, readCounter, tryInotifyAddWatch } from "./notify.ts";
import { close } from "./open.ts";
import { poll } from "./poll.ts";
import { join, makeTemporary, removeTree, writeFile } from "./testing/files.ts";
import type { Fd } from "./types.ts";

const notify = suite("notify");
const isReadable = (fd: Fd): boolean => poll([{ fd, events: POLLIN }], 0)[0] === POLLIN;

notify("an eventfd counts up to its reading, which does not wait", () => {
  const fd = eventfd();
  assert.is(tryFcntl(fd, F_GETFD), FD_CLOEXEC);
  assert.is(readCounter(fd), 0n);
  const add = (n: bigint) => write(fd, new Uint8Array(new BigUint64Array([n]).buffer));
  add(2n);
  add(1n << 60n);
  assert.ok(isReadable(fd));
  assert.is(readCounter(fd), (1n << 60n) + 2n);
  assert.not(isReadable(fd));
  close(fd);
});

notify("inotify tells of a file that is modified, once it has been drained for the next time", () => {
  const directory = makeTemporary("notify-");
  const fd = inotifyInit();
  try {
    const file = join(directory, "a");
    writeFile(file, "1");
    assert.is(tryFcntl(fd, F_GETFD), FD_CLOEXEC);
    assert.ok(tryInotifyAddWatch(fd, file, IN_MODIFY) > 0);
    assert.is(tryInotifyAddWatch(fd, join(directory, "b"), IN_MODIFY), -ENOENT);
    for (const text of ["2", "3"]) {
      assert.not(isReadable(fd));
      writeFile(file, text);
      assert.ok(isReadable(fd));
      drain(fd);
    }
    assert.not(isReadable(fd));
  } finally {
    close(fd);
    removeTree(directory);
  }
});
notify.run();
