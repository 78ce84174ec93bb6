// Paths that name descriptors of the caller (/dev/fd/N, /proc/self/fd/N, what a shell makes of <(…)): they are open for
// the command, whichever it is and however often it starts itself anew, and are not for the container.
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { withListener } from "../pty.ts";
import { defaultSpec, shell } from "../spec.ts";

const paths = conformance("paths of inherited descriptors");
const spellings = ["/dev/fd/3", "/proc/self/fd/3", "/proc/thread-self/fd/3"] as const;
const others = "ls /proc/self/fd | tr '\\n' ' '";
/** 3 is the directory that ls reads. */
const none = "0 1 2 3 ";

/** The body with a file open as 3 for the runtime. */
async function with3<T>(
  path: string,
  flags: string,
  body: (extraFds: readonly number[]) => Promise<T>,
): Promise<T> {
  const fd = openSync(path, flags);
  try {
    return await body([fd]);
  } finally {
    closeSync(fd);
  }
}

async function runDetached(c: Fixture): Promise<void> {
  c.configure((spec) => shell(spec, "sleep 100"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
}

function processFile(c: Fixture): string {
  const { process } = defaultSpec();
  const path = join(c.dir, "process.json");
  writeFileSync(path, JSON.stringify({ ...process, args: ["sh", "-c", others] }));
  return path;
}

for (const path of spellings) {
  paths(`exec --process ${path}`, async (c) => {
    await runDetached(c);
    await with3(processFile(c), "r", async (extraFds) => {
      assert.is(succeed(await c.runt(["exec", "--process", path, c.id], { extraFds })).stdout, none);
    });
  });

  paths(
    `--pid-file ${path} [create, run, exec]`,
    async (c) => {
      const file = join(c.dir, "pid");
      const written = (): string => readFileSync(file, "utf8");
      c.configure((spec) => shell(spec, "sleep 100"));
      await with3(file, "w", async (extraFds) => {
        const args = ["create", "--pid-file", path, "--bundle", c.bundle, c.id];
        succeed(await c.runt(args, { extraFds }));
      });
      assert.is(written(), String((await c.state()).pid));
      succeed(await c.deleteForce());
      // What is there already is the caller's as well.
      writeFileSync(file, "pid ");
      await with3(file, "a", async (extraFds) => {
        const args = ["run", "--detach", "--pid-file", path, "--bundle", c.bundle, c.id];
        succeed(await c.runt(args, { extraFds }));
      });
      assert.is(written(), `pid ${(await c.state()).pid}`);
      await with3(file, "w", async (extraFds) => {
        succeed(await c.runt(["exec", "--detach", "--pid-file", path, c.id, "sleep", "100"], { extraFds }));
      });
      assert.match(written(), /^\d+$/);
      assert.is.not(written(), String((await c.state()).pid));
    },
    { runcFails: "runc renames a file of /proc" },
  );

  paths(`--log ${path} [exec, start, state]`, async (c) => {
    succeed(await c.create());
    const log = join(c.dir, "log");
    for (const [args, says] of [
      [["exec", c.id, "nonexistent"], "executable file not found"],
      [["start", "nonexistent"], "container does not exist"],
      [["state", "nonexistent"], "container does not exist"],
    ] as const) {
      await with3(log, "w", async (extraFds) => {
        refuse(await c.runt(["--log", path, ...args], { extraFds }), says);
      });
      assert.match(readFileSync(log, "utf8"), says);
    }
  });

  paths(`--bundle ${path} [run, spec]`, async (c) => {
    c.configure((spec) => shell(spec, others));
    await with3(c.bundle, "r", async (extraFds) => {
      assert.is(succeed(await c.runt(["run", "--bundle", path, c.id], { extraFds })).stdout, none);
    });
    mkdirSync(join(c.dir, "new"));
    await with3(join(c.dir, "new"), "r", async (extraFds) => {
      succeed(await c.runt(["spec", "--bundle", path], { extraFds }));
    });
    assert.match(readFileSync(join(c.dir, "new/config.json"), "utf8"), "ociVersion");
  });

  paths(`--root ${path} [create, state, exec, update, kill, delete]`, async (c) => {
    c.configure((spec) => shell(spec, "sleep 100"));
    mkdirSync(c.root, { recursive: true });
    await with3(c.root, "r", async (extraFds) => {
      const runt = async (...args: readonly string[]) =>
        succeed(await runCommand([runtimePath, "--root", path, ...args], { extraFds }));
      await runt("create", "--bundle", c.bundle, c.id);
      await runt("start", c.id);
      assert.is((JSON.parse((await runt("state", c.id)).stdout) as { status: string }).status, "running");
      assert.is((await runt("exec", c.id, "sh", "-c", others)).stdout, none);
      await runt("update", "--pids-limit", "50", c.id);
      await runt("kill", c.id, "KILL");
      await runt("delete", "--force", c.id);
    });
  });

  paths(`update --resources ${path}`, async (c) => {
    await runDetached(c);
    const file = join(c.dir, "resources.json");
    writeFileSync(file, JSON.stringify({ pids: { limit: 77 } }));
    await with3(file, "r", async (extraFds) => {
      succeed(await c.runt(["update", "--resources", path, c.id], { extraFds }));
    });
  });

  paths(`--console-socket ${path}/console`, async (c) => {
    c.configure((spec) => {
      Object.assign(spec.process, { terminal: true });
      shell(spec, "sleep 100");
    });
    await withListener(join(c.dir, "console"), async (listener) => {
      await with3(c.dir, "r", async (extraFds) => {
        const args = ["create", "--console-socket", `${path}/console`, "--bundle", c.bundle, c.id];
        succeed(await c.runt(args, { extraFds }));
      });
      closeSync((await listener.receive()).fd);
    });
  });
}

paths("what a shell makes of <(…) and >(…)", async (c) => {
  await runDetached(c);
  const process = processFile(c);
  const log = join(c.dir, "log");
  const script = `"$@" exec --process <(cat ${process}) ${c.id}; "$@" --log >(cat >${log}) exec ${c.id} nonexistent; sleep 0.2`;
  const { stdout } = await runCommand(["bash", "-c", script, "bash", runtimePath, "--root", c.root]);
  assert.is(stdout, none);
  assert.match(readFileSync(log, "utf8"), "executable file not found");
});

// Not by /dev/stdout itself: who fails this puts a file in its place, for the whole machine.
paths(
  "--pid-file, a link as /dev/stdout is one",
  async (c) => {
    const link = join(c.dir, "stdout");
    symlinkSync("/proc/self/fd/1", link);
    const args = ["create", "--pid-file", link, "--bundle", c.bundle, c.id];
    const { stdout } = succeed(await c.runt(args));
    assert.is(stdout, String((await c.state()).pid));
    assert.is(readlinkSync(link), "/proc/self/fd/1");
  },
  { runcFails: "runc replaces it" },
);

paths.run();
