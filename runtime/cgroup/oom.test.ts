// A cgroup v2 of ordinary files, on which inotify works alike. v1 needs the kernel: conformance/cgroup/events.test.ts.

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { S_IFIFO } from "../../syscalls/constants/stat.ts";
import { mknodat } from "../../syscalls/directory.ts";
import { writeAll } from "../../syscalls/io.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { poll } from "../../syscalls/poll.ts";
import { join, makeTemporary, removeFile, removeTree, writeFile } from "../../syscalls/testing/files.ts";
import { startForked } from "../../syscalls/testing/programs.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { type OomWatch, watchOom } from "./oom.ts";

const oom = suite("watchOom on v2");

type Write = (file: "memory.events" | "cgroup.events", text: string) => void;

function withWatch(body: (watch: OomWatch, write: Write, directory: string) => void, memory = true): void {
  const directory = makeTemporary("oom-");
  const write: Write = (file, text) => writeFile(join(directory, file), text);
  if (memory) write("memory.events", "low 0\nmax 3\noom 2\noom_kill 2\n");
  write("cgroup.events", "populated 1\nfrozen 0\n");
  const watch = watchOom({ "": directory as HostPath });
  try {
    body(watch, write, directory);
  } finally {
    watch.close();
    removeTree(directory);
  }
}

const isReadable = ({ fd }: OomWatch): boolean => poll([{ fd, events: POLLIN }], 0)[0] !== 0;

oom("what was before is not told, nor a limit that was reached without a kill", () => {
  withWatch((watch, write) => {
    assert.not(isReadable(watch));
    write("memory.events", "low 0\nmax 4\noom 2\noom_kill 2\n");
    assert.ok(isReadable(watch));
    assert.equal(watch.readEvents(), { oom: false, gone: false });
    assert.not(isReadable(watch));
  });
});

oom("a kill is told once", () => {
  withWatch((watch, write) => {
    write("memory.events", "oom_kill 3\n");
    assert.equal(watch.readEvents(), { oom: true, gone: false });
    write("memory.events", "max 9\noom_kill 3\n");
    assert.equal(watch.readEvents(), { oom: false, gone: false });
  });
});

oom("the last process gone, or the cgroup, is the end; a kill before it is still told", () => {
  withWatch((watch, write) => {
    write("memory.events", "oom_kill 3\n");
    write("cgroup.events", "populated 0\nfrozen 0\n");
    assert.ok(isReadable(watch));
    assert.equal(watch.readEvents(), { oom: true, gone: true });
  });
  withWatch((watch, _write, directory) => {
    removeFile(join(directory, "memory.events"));
    removeFile(join(directory, "cgroup.events"));
    assert.equal(watch.readEvents(), { oom: false, gone: true });
  });
});

oom("a kill while it looks is told, although that was the last process", () => {
  withWatch((watch, write, directory) => {
    const file = join(directory, "cgroup.events");
    removeFile(file);
    mknodat(CWD, file, S_IFIFO | 0o600);
    const killer = startForked(() => {
      const fd = openat(CWD, file, O_WRONLY); // waits for readEvents
      write("memory.events", "oom_kill 3\n");
      writeAll(fd, encodeUtf8("populated 0\n"));
      return 0;
    });
    assert.equal(watch.readEvents(), { oom: true, gone: true });
    assert.is(killer.wait().status, 0);
  });
});

oom("without a memory controller there is the end to wait for", () => {
  withWatch((watch, write) => {
    write("cgroup.events", "populated 0\nfrozen 0\n");
    assert.ok(isReadable(watch));
    assert.equal(watch.readEvents(), { oom: false, gone: true });
  }, false);
});

oom("v1 without a memory hierarchy is refused in runc's words", () => {
  assert.throws(() => watchOom({ freezer: "/nowhere" as HostPath }), saying("memory controller missing"));
});
oom.run();
