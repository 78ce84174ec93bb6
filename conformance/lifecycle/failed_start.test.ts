// A program that exists and is executable, but that the kernel refuses: the failure comes after everything is made.
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, refuse } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { withTerminal } from "../pty.ts";

const failed = conformance("failed start");

/** A bundle whose program has no format, and a poststop hook that leaves a mark each time. */
function configure(c: Fixture, terminal = false): string {
  const marks = join(c.dir, "poststop");
  writeFileSync(join(c.rootfs, "bin/nothing"), "neither ELF nor script");
  chmodSync(join(c.rootfs, "bin/nothing"), 0o755);
  c.configure((spec) => {
    Object.assign(spec.process, { terminal, args: ["/bin/nothing"] });
    spec.hooks = { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `echo once >> ${marks}`] }] };
  });
  return marks;
}

for (const [options, declared] of [
  [[], {}],
  [["--detach"], { runcFails: "runc 1.1.5 calls a detached run a success before its execve" }],
  [["--keep"], { runcFails: "runc 1.1.5 keeps what never ran" }],
] as const)
  failed(
    `run ${options.join()} [nothing is left, and the poststop hooks have run once]`,
    async (c) => {
      const marks = configure(c);
      refuse(await c.runt(["run", ...options, "--bundle", c.bundle, c.id]), "exec format error");
      assert.is(readFileSync(marks, "utf8"), "once\n");
      assert.not(existsSync(join(c.root, c.id)));
    },
    declared,
  );

failed("run with a terminal [it is as it was, and the poststop hooks have run once]", async (c) => {
  const marks = configure(c, true);
  await withTerminal({ rows: 24, columns: 80 }, async ({ screen, start, settings }) => {
    const before = settings();
    const running = start([runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id]);
    assert.is(await running.status, 1);
    await screen.shows("exec format error");
    assert.is(settings(), before);
  });
  assert.is(readFileSync(marks, "utf8"), "once\n");
});

failed.run();
