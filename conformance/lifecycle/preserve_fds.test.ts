// --preserve-fds N: descriptors 3 to 2+N reach the user's program, and no other does, whoever else holds what.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const own = { runcFails: "runc 1.1.5 passes on descriptors of its own" };
const preserve = conformance("--preserve-fds");

/** Files of their own content as 3, 4, …, then the body with what the runtime inherits. */
async function withFiles(
  c: Fixture,
  count: number,
  body: (fds: readonly number[]) => Promise<void>,
): Promise<void> {
  const fds = Array.from({ length: count }, (_, i) => {
    const path = join(c.dir, `file${i + 3}`);
    writeFileSync(path, `content of ${i + 3}\n`);
    return openSync(path, "r");
  });
  try {
    await body(fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

const show = `for fd in 3 4 5 6 7 8 9; do test -e /proc/self/fd/$fd && cat <&$fd 2>/dev/null; done; true`;
const expected = (last: number): string =>
  Array.from({ length: last - 2 }, (_, i) => `content of ${i + 3}\n`).join("");

for (const [count, open] of [
  [0, 4],
  [1, 1],
  [1, 4],
  [3, 3],
  [3, 6],
] as const) {
  preserve(`run [${count} of ${open} open]`, async (c) => {
    c.configure((spec) => shell(spec, show));
    await withFiles(c, open, async (extraFds) => {
      const args = ["run", "--preserve-fds", String(count), "--bundle", c.bundle, c.id];
      assert.is(succeed(await c.runt(args, { extraFds })).stdout, expected(2 + count));
    });
  });

  preserve(`create, start [${count} of ${open} open]`, async (c) => {
    c.configure((spec) => {
      spec.root.readonly = false;
      shell(spec, `{ ${show}; } > /tmp/out 2>&1; touch /tmp/done; sleep 60`);
    });
    await withFiles(c, open, async (extraFds) => {
      const args = ["create", `--preserve-fds=${count}`, "--bundle", c.bundle, c.id];
      succeed(await c.runt(args, { extraFds }));
    });
    succeed(await c.runt(["start", c.id]));
    assert.ok(await eventually(() => existsSync(join(c.rootfs, "tmp/done"))));
    assert.is(readFileSync(join(c.rootfs, "tmp/out"), "utf8"), expected(2 + count));
  });
}

for (const [count, open, missing] of [
  [1, 0, 0],
  [2, 1, 1],
  [5, 3, 3],
  [20, 0, 0],
] as const)
  for (const command of ["create", "run"] as const)
    preserve(
      `${command} [${count} asked for, ${open} open]`,
      async (c) => {
        await withFiles(c, open, async (extraFds) => {
          const args = [command, "--preserve-fds", String(count), "--bundle", c.bundle, c.id];
          refuse(await c.runt(args, { extraFds }), `unable to stat preserved-fd ${missing} (of ${count}):`);
        });
        assert.not(existsSync(join(c.root, c.id)));
      },
      own,
    );

preserve(
  "a gap among them is refused, as the runtime's own would fill it",
  async (c) => {
    await withFiles(c, 3, async (extraFds) => {
      const wrapped = ["sh", "-c", 'exec 4<&-; exec "$@"', "sh", runtimePath, "--root", c.root];
      const args = [...wrapped, "run", "--preserve-fds", "3", "--bundle", c.bundle, c.id];
      refuse(await runCommand(args, { extraFds }), "unable to stat preserved-fd 1 (of 3):");
    });
  },
  own,
);

preserve("with a log, which is opened by the runtime itself", async (c) => {
  c.configure((spec) => shell(spec, show));
  await withFiles(c, 2, async (extraFds) => {
    const args = ["--log", join(c.dir, "log"), "--debug", "run", "--preserve-fds", "2"];
    const result = succeed(await c.runt([...args, "--bundle", c.bundle, c.id], { extraFds }));
    assert.is(result.stdout, expected(4));
  });
});

preserve("directories of the host that were not asked for never arrive, those that were do", async (c) => {
  c.configure((spec) => shell(spec, "ls -l /proc/self/fd"));
  const fds = Array.from({ length: 6 }, () => openSync("/var", "r"));
  try {
    const args = ["run", "--preserve-fds", "2", "--bundle", c.bundle, c.id];
    const { stdout } = succeed(await c.runt(args, { extraFds: fds }));
    const names = [...stdout.matchAll(/ (\d+) -> (\S+)/g)].map((match) => `${match[1]} ${match[2]}`);
    assert.equal(
      names.filter((name) => name.endsWith(" /var")),
      ["3 /var", "4 /var"],
    );
    assert.equal(
      names.map((name) => name.split(" ")[0]).filter((fd) => Number(fd) > 5),
      [],
    );
  } finally {
    for (const fd of fds) closeSync(fd);
  }
});

preserve("a hook gets none of them", async (c) => {
  const out = join(c.dir, "hook");
  const hook = {
    path: "/bin/sh",
    args: ["sh", "-c", `ls /proc/self/fd > ${out}`],
    env: ["PATH=/usr/bin:/bin"],
  };
  c.configure((spec) => {
    spec.hooks = { createRuntime: [hook] };
  });
  await withFiles(c, 2, async (extraFds) => {
    succeed(await c.runt(["run", "--preserve-fds", "2", "--bundle", c.bundle, c.id], { extraFds }));
  });
  // 3 is the directory that ls reads.
  assert.equal(readFileSync(out, "utf8").trim().split("\n"), ["0", "1", "2", "3"]);
});

preserve.run();
