// exec at the moment at which the container ends.
import * as assert from "uvu/assert";
import type { Result } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runWaiting, startExec } from "./running.ts";

const stopping = conformance("exec, container ends");

/** It ran and was killed, or was told that there is no container to run in; the last only where it is deleted. */
const allowed = [
  "",
  "exec failed: cannot exec in a stopped container",
  "exec failed: container does not exist",
];

function judge({ status, stderr }: Result): void {
  const said = /msg="(.*)"/.exec(stderr)?.[1] ?? stderr;
  assert.ok(allowed.includes(said), said);
  assert.is(status, said === "" ? 137 : 255);
}

/** Enough turns for each moment of an exec to be hit. */
const turns = 12;

for (const [how, end] of [
  ["its init process is killed", async (_: Fixture, pid: number) => process.kill(pid, "SIGKILL")],
  ["all its processes are killed", async (c: Fixture) => c.runt(["kill", "--all", c.id, "KILL"])],
  ["it is deleted", async (c: Fixture) => c.deleteForce()],
] as const)
  stopping(
    how,
    async (c) => {
      for (let turn = 0; turn < turns; turn++) {
        await runWaiting(c);
        const { pid } = await c.state();
        const execs = Array.from({ length: 3 }, () => startExec(c, [], ["sleep", "100"]));
        await Bun.sleep(turn * 1.5);
        await end(c, pid);
        for (const { done } of execs) judge(await done);
        succeed(await c.deleteForce());
      }
    },
    { runcMayFail: "runc tells what failed in its process inside" },
  );

stopping.run();
