import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { namesIn, readText, writeFile } from "../../syscalls/testing/files.ts";
import { start, waitUntil } from "../../syscalls/testing/programs.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import type { Pid } from "../../syscalls/types.ts";
import { identify, isAlive, openProcess } from "./init_pid.ts";

const init = suite("init_pid");

function withProcess(body: (pid: Pid) => void): void {
  const child = start(["sleep", "60"]);
  try {
    body(child.pid);
  } finally {
    child.end();
  }
}

const field22 = (pid: number): string => {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
};

const bootId = readText("/proc/sys/kernel/random/boot_id").trim();

init("an identity is pid, start time and boot", () => {
  withProcess((pid) => {
    assert.equal(identify(pid), { pid, startTime: field22(pid), bootId });
    assert.is(isAlive(identify(pid)), true);
  });
});

init("a command name with parentheses and digits does not shift the fields", () => {
  // This process's own name, which it may set; the text is what a hostile program would take.
  const before = readText("/proc/self/comm").trim();
  writeFile("/proc/self/comm", ") R 1 1 (");
  try {
    assert.match(readText("/proc/self/stat"), /^\d+ \(\) R 1 1 \(\) /);
    const identity = identify(getpid());
    assert.is(identity.startTime, field22(getpid()));
    assert.ok(Number(identity.startTime) > 1);
    assert.is(isAlive(identity), true);
  } finally {
    writeFile("/proc/self/comm", before);
  }
});

for (const [title, change] of [
  ["another start time", { startTime: "1" }],
  ["another boot", { bootId: "00000000-0000-0000-0000-000000000000" }],
  ["no boot", { bootId: "" }],
] as const)
  init(`a process with ${title} is another one`, () => {
    withProcess((pid) => {
      const other = { ...identify(pid), ...change };
      assert.is(isAlive(other), false);
      assert.is(openProcess(other), undefined);
    });
  });

for (const pid of [0, -1, -(2 ** 31), 2 ** 30, 2 ** 31] as Pid[])
  init(`pid ${pid} is never alive`, () => {
    const identity = { pid, startTime: "0", bootId };
    assert.is(isAlive(identity), false);
    assert.is(openProcess(identity), undefined);
  });

init("pid 1 is never a container's, even if all of it fits", () => {
  const identity = { pid: 1 as Pid, startTime: field22(1), bootId };
  assert.is(isAlive(identity), false);
  assert.is(openProcess(identity), undefined);
});

init("a zombie is dead", () => {
  // The shell's child ends at once, and the program that takes the shell's place never waits for it.
  const parent = start(["sh", "-c", "true & exec sleep 60"]);
  try {
    let zombie = 0;
    const found = waitUntil(() => {
      const children = readText(`/proc/${parent.pid}/task/${parent.pid}/children`).trim();
      if (children !== "" && / Z /.test(readText(`/proc/${children}/stat`))) zombie = Number(children);
      return zombie !== 0;
    });
    assert.ok(found && zombie > 1);
    assert.is(isAlive(identify(zombie as Pid)), false);
    assert.is(openProcess(identify(zombie as Pid)), undefined);
  } finally {
    parent.end();
  }
});

init("after its end it is dead, and nothing stays open", () => {
  let identity = identify(getpid());
  withProcess((pid) => {
    identity = identify(pid);
    const handle = openProcess(identity);
    assert.ok(handle !== undefined);
    close(handle.fd);
  });
  const open = (): string[] => namesIn("/proc/self/fd");
  const before = open();
  for (let i = 0; i < 20; i++) assert.is(openProcess(identity), undefined);
  const self = { ...identify(getpid()), startTime: "1" };
  for (let i = 0; i < 20; i++) assert.is(openProcess(self), undefined);
  // The engine may close something of its own meanwhile; what counts is that nothing was added.
  const added = open().filter((fd) => !before.includes(fd));
  assert.equal(added, []);
});

init("identify of a process that is not there says which", () => {
  assert.throws(
    () => identify((2 ** 30) as Pid),
    saying(`read /proc/${2 ** 30}/stat: ESRCH (no such process)`),
  );
});

init.run();
