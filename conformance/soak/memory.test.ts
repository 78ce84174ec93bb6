// serial
// What runs long does not grow: the loop of `events`, and an attached `run` that copies what its program writes.
// RUNT_TURNS and RUNT_MEGABYTES say how long; `npm run soak` takes 100,000 turns and a gigabyte.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const memory = conformance("memory of what runs long");

const turns = Number(process.env.RUNT_TURNS ?? 3000);
const megabytes = Number(process.env.RUNT_MEGABYTES ?? 64);

/** KiB of a process's own memory (proc_pid_smaps(5)). */
function anonymous(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Anonymous: +(\d+) kB$/m.exec(text)?.[1]);
}

/** A process may round up once more, by a step of its arena. */
const STEP = 1024;

/**
 * Runs a command with its output in a file, and looks at it until `progress` says, from 0 to 1, that it has done all;
 * the memory of the process at a quarter of the way and at the end.
 */
async function measured(
  c: Fixture,
  argv: readonly string[],
  progress: (file: string) => number,
): Promise<{ readonly early: number; readonly late: number }> {
  const [command = "", ...args] = argv;
  const file = join(c.dir, "output");
  const output = openSync(file, "w");
  const child = spawn(command, args, { stdio: ["ignore", output, "inherit"] });
  closeSync(output);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const pid = child.pid ?? 0;
  let early = 0;
  try {
    for (;;) {
      const done = progress(file);
      if (early === 0 && done >= 0.25) early = anonymous(pid);
      if (done >= 1) return { early, late: anonymous(pid) };
      assert.is(child.exitCode, null);
      await Bun.sleep(20);
    }
  } finally {
    // A program that is process 1 takes no notice of TERM.
    await c.deleteForce();
    child.kill();
    await ended;
  }
}

memory(
  `events: ${turns} turns`,
  async (c) => {
    c.configure((spec) => shell(spec, "exec sleep 3600"));
    succeed(await c.create());
    succeed(await c.runt(["start", c.id]));
    const argv = [runtimePath, "--root", c.root, "events", "--interval", "100us", c.id];
    let size = 0;
    const { early, late } = await measured(c, argv, (file) => {
      const bytes = statSync(file).size;
      // How many turns so many bytes are is known from the first of them.
      if (size === 0 && bytes > 0) size = readFileSync(file, "utf8").indexOf("\n") + 1;
      return size === 0 ? 0 : bytes / (size * turns);
    });
    assert.ok(early > 0 && late <= early + STEP, `${early} KiB, then ${late}`);
  },
  { needs: ["built"] },
);

memory(
  `an attached run: ${megabytes} MB`,
  async (c) => {
    // It stays until it is killed, so that it can be looked at when all has been read. A file is no pipe, which would be
    // handed on to the program itself.
    const count = megabytes * 16;
    c.configure((spec) => shell(spec, `dd if=/dev/zero bs=65536 count=${count} 2>/dev/null; exec sleep 60`));
    const argv = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
    const { early, late } = await measured(c, argv, (file) => statSync(file).size / (megabytes << 20));
    assert.ok(early > 0 && late <= early + STEP, `${early} KiB, then ${late}`);
  },
  { needs: ["built"] },
);

memory.run();
