// vm
// A container that is saved and restored goes on, and is a container like any other.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { isAlive, namespaceOf } from "../inspect.ts";
import {
  checkpoint,
  configure,
  counter,
  countsOnFrom,
  exec,
  images,
  quietly,
  read,
  restore,
  run,
  shows,
  withCriu,
} from "./container.ts";

const life = withCriu("checkpoint and restore");

life("a counter goes on counting where it was, thrice", async (c) => {
  configure(c, counter);
  await run(c);
  await shows(c, "tmp/n", 10);
  for (let turn = 0; turn < 3; turn++) {
    const { pid } = await c.state();
    succeed(await checkpoint(c));
    assert.not.ok(isAlive(pid));
    refuse(await c.runt(["state", c.id]), "does not exist");
    const before = Number(read(c, "tmp/n"));
    succeed(await restore(c));
    await countsOnFrom(c, before);
    rmSync(images(c), { recursive: true });
  }
});

life("what was restored can be looked at, paused, changed, signalled and deleted", async (c) => {
  configure(c, counter);
  await run(c);
  const { created, pid: first } = await c.state();
  await shows(c, "tmp/n", 5);
  succeed(await checkpoint(c));
  succeed(await restore(c, "--pid-file", join(c.dir, "pid")));
  const state = await c.state();
  assert.is(state.status, "running");
  assert.ok((state.created ?? "") > (created ?? ""));
  assert.is.not(state.pid, first);
  assert.is(await Bun.file(join(c.dir, "pid")).text(), `${state.pid}`);
  // exec is in its namespaces, pids among them.
  assert.is(await exec(c, "cat /proc/1/comm; hostname"), "sh\nconformance");
  for (const type of ["mnt", "net", "ipc", "uts", "pid"])
    assert.is(await exec(c, `readlink /proc/self/ns/${type}`), namespaceOf(state.pid, type), type);
  assert.match(succeed(await c.runt(["ps", c.id])).stdout, `${state.pid}`);
  succeed(await c.runt(["update", "--pids-limit", "77", c.id]));
  assert.match(succeed(await c.runt(["events", "--stats", c.id])).stdout, '"limit":77');
  succeed(await c.runt(["pause", c.id]));
  assert.is((await c.state()).status, "paused");
  const still = read(c, "tmp/n");
  await Bun.sleep(300);
  assert.is(read(c, "tmp/n"), still);
  succeed(await c.runt(["resume", c.id]));
  await countsOnFrom(c, Number(still));
  refuse(await c.runt(["delete", c.id]), "that is not stopped");
  succeed(await c.runt(["kill", c.id, "KILL"]));
  assert.ok(await eventually(async () => (await c.state()).status === "stopped"));
  succeed(await c.runt(["delete", c.id]));
});

life(
  "its clock goes on where it was, for what exec starts as well",
  async (c) => {
    configure(c, counter);
    await run(c);
    await shows(c, "tmp/n", 5);
    const uptime = async (): Promise<number> => Number((await exec(c, "cat /proc/uptime")).split(" ")[0]);
    succeed(await checkpoint(c));
    succeed(await restore(c));
    const { pid } = await c.state();
    assert.is(await exec(c, "readlink /proc/self/ns/time"), namespaceOf(pid, "time"));
    const before = await uptime();
    const began = performance.now();
    rmSync(images(c), { recursive: true });
    succeed(await checkpoint(c));
    await Bun.sleep(3000);
    succeed(await restore(c));
    const went = (await uptime()) - before;
    const meanwhile = (performance.now() - began) / 1000;
    assert.ok(went > 0 && went < meanwhile - 2.5, `${went} of ${meanwhile} s went by`);
  },
  { runcMayFail: "runc 1.1.5 has exec in the host's time namespace" },
);

life("with --leave-running it goes on, and its images make another", async (c) => {
  // What it has open must be the same at the restore, so it writes to nothing.
  configure(c, "echo ready >/tmp/ready; exec tail -f /dev/null");
  await run(c);
  await shows(c, "tmp/ready", "ready");
  const { pid } = await c.state();
  succeed(await checkpoint(c, "--leave-running"));
  assert.is((await c.state()).pid, pid);
  assert.is((await c.state()).status, "running");
  assert.is(await exec(c, "cat /proc/1/comm"), "tail");
  const other = `${c.id}.other`;
  const words = ["restore", "-d", "--bundle", c.bundle, "--image-path", images(c), other];
  succeed(await quietly(c, words));
  assert.match(succeed(await c.runt(["state", other])).stdout, '"status": "running"');
  assert.is((await c.state()).status, "running");
  succeed(await c.runt(["delete", "--force", other]));
});

life("one that is paused is saved as it is", async (c) => {
  configure(c, counter);
  await run(c);
  await shows(c, "tmp/n", 5);
  succeed(await c.runt(["pause", c.id]));
  succeed(await checkpoint(c));
  const before = Number(read(c, "tmp/n"));
  succeed(await restore(c));
  if ((await c.state()).status === "paused") succeed(await c.runt(["resume", c.id]));
  await countsOnFrom(c, before);
});

life("open files keep their places, deleted ones are kept, and pipes what is in them", async (c) => {
  configure(
    c,
    `exec 5>/tmp/log 6</etc/words
     echo gone >/tmp/ghost; exec 7</tmp/ghost; rm /tmp/ghost
     read first <&6
     mkfifo /tmp/pipe; exec 8<>/tmp/pipe; echo in the pipe >&8
     echo before >&5; echo ready >/tmp/ready
     while [ ! -e /tmp/go ]; do sleep 0.02; done
     read second <&6; read ghost <&7; read piped <&8
     echo "after $first $second $ghost $piped" >&5; echo done >/tmp/done; exec sleep 100`,
  );
  writeFileSync(join(c.rootfs, "etc/words"), "one\ntwo\nthree\n");
  await run(c);
  await shows(c, "tmp/ready", "ready");
  succeed(await checkpoint(c));
  writeFileSync(join(c.rootfs, "tmp/go"), "");
  succeed(await restore(c));
  await shows(c, "tmp/done", "done");
  assert.is(read(c, "tmp/log"), "before\nafter one two gone in the pipe");
});

life("a file lock is kept, if that is asked for", async (c) => {
  configure(c, "exec 9>/tmp/lock; flock -x 9; echo ready >/tmp/ready; exec tail -f /dev/null");
  await run(c);
  await shows(c, "tmp/ready", "ready");
  const isHeld = async () => (await exec(c, "flock -n /tmp/lock true && echo free || echo held")) === "held";
  assert.ok(await isHeld());
  succeed(await checkpoint(c, "--file-locks"));
  succeed(await restore(c, "--file-locks"));
  assert.ok(await isHeld());
});

life("a hundred processes, sessions and orphans among them, are all there again", async (c) => {
  configure(
    c,
    `for i in $(seq 80); do tail -f /dev/null & done
     for i in $(seq 10); do setsid sh -c 'tail -f /dev/null; :' & done
     sh -c 'tail -f /dev/null & exit 0'
     (while :; do echo tick; sleep 0.05; done) | (n=0; while read x; do n=$((n+1)); echo $n >/tmp/n.new; mv /tmp/n.new /tmp/n; done) &
     wait`,
  );
  await run(c);
  await shows(c, "tmp/n", 5);
  const processes = () => exec(c, "ps -o ppid,pid,comm | grep -v -e 'ps$' -e grep | sort");
  const before = (await processes()).split("\n").filter((line) => line.includes("tail")).length;
  assert.ok(before > 90);
  succeed(await checkpoint(c));
  const ticks = Number(read(c, "tmp/n"));
  succeed(await restore(c));
  await countsOnFrom(c, ticks);
  const after = (await processes()).split("\n").filter((line) => line.includes("tail")).length;
  assert.ok(Math.abs(after - before) <= 1, `${before} processes, then ${after}`);
});

life.run();
