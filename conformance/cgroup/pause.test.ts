// arm64
// vm
// pause, resume and ps on every kind of host: what they print and refuse, beside runc.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { cgroupVersion } from "../needs.ts";
import { shell } from "../spec.ts";
import { cgroupDirectories, messagesOf, type RunningContainer, withRuncBeside } from "./beside_runc.ts";

const pause = conformance("pause, resume and ps");

/** What a command says, with the container's own id and pids under names that both share. */
async function said(container: RunningContainer, ...argv: readonly string[]): Promise<string[]> {
  const result = await container.run([...argv, container.id]);
  const stdout = result.stdout
    .replaceAll(String(container.pid), "PID")
    .replace(/\d+(?=\])/g, (pid) => (isAlive(Number(pid)) ? "ALIVE" : pid))
    .replaceAll(container.id, "ID");
  // Where runc says that it is not running, ours says as well what it is instead.
  const messages = messagesOf(result).map((message) => message.replace(/: it is \w+$/, ""));
  return [`exit ${result.status}`, stdout, ...messages];
}

const freezerFile = (container: RunningContainer): string =>
  cgroupVersion === 1
    ? join(cgroupDirectories(container.pid).get("freezer") ?? "", "freezer.state")
    : join(cgroupDirectories(container.pid).get("") ?? "", "cgroup.freeze");

pause(
  "running, paused, running, stopped: both say the same",
  (c) =>
    withRuncBeside(
      c,
      (spec) => shell(spec, "sleep 600 & wait"),
      async (ours, theirs) => {
        const agree = async (...argv: readonly string[]): Promise<string[]> => {
          const mine = await said(ours, ...argv);
          assert.equal(mine, await said(theirs, ...argv), argv.join(" "));
          return mine;
        };
        const frozen = async (text: string): Promise<void> => {
          for (const container of [ours, theirs])
            assert.is(readFileSync(freezerFile(container), "utf8").trim(), text);
        };
        const two = async ({ run, id }: RunningContainer) =>
          (JSON.parse((await run(["ps", "-f", "json", id])).stdout) as number[]).length === 2;
        while (!(await two(ours)) || !(await two(theirs)));
        assert.equal(await agree("ps", "--format", "json"), ["exit 0", "[PID,ALIVE]\n"]);
        assert.equal(await agree("resume"), ["exit 1", "", "container not paused"]);
        assert.equal(await agree("pause"), ["exit 0", ""]);
        await frozen(cgroupVersion === 1 ? "FROZEN" : "1");
        assert.equal(await agree("pause"), ["exit 1", "", "container not running"]);
        assert.equal(await agree("ps", "-f", "json"), ["exit 0", "[PID,ALIVE]\n"]);
        assert.equal(await agree("resume"), ["exit 0", ""]);
        await frozen(cgroupVersion === 1 ? "THAWED" : "0");
        for (const container of [ours, theirs]) succeed(await container.run(["kill", container.id, "KILL"]));
        assert.ok(await eventually(() => !isAlive(ours.pid) && !isAlive(theirs.pid), 60));
        const gone = async ({ run, id }: RunningContainer) =>
          (await run(["ps", "-f", "json", id])).stdout === "null\n";
        while (!(await gone(ours)) || !(await gone(theirs)));
        await agree("pause");
        await agree("resume");
        assert.equal(await agree("ps", "-f", "json"), ["exit 0", "null\n"]);
        const table = await said(ours, "ps");
        assert.match(table[1] ?? "", /^UID .*\n$/);
      },
    ),
  { needs: ["runc"] },
);

pause.run();
