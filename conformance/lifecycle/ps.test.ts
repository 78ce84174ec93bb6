// ps as JSON and as a table.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { execShell, runWaiting } from "../exec/running.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";

const ps = conformance("ps");

ps("json is one line with the host's pids of everything in the container", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  assert.is(succeed(await c.runt(["ps", "--format", "json", c.id])).stdout, `[${pid}]\n`);
  succeed(await execShell(c, "sleep 100000", ["--detach"]));
  const { stdout } = succeed(await c.runt(["ps", "-f", "json", c.id]));
  assert.match(stdout, /^\[\d+,\d+\]\n$/);
  assert.ok((JSON.parse(stdout) as number[]).includes(pid));
});

ps("a table is what ps prints, less the others", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  const lines = succeed(await c.runt(["ps", c.id]))
    .stdout.trimEnd()
    .split("\n");
  assert.match(lines[0] ?? "", /^UID +PID +PPID /);
  assert.is(lines.length, 2);
  assert.match(lines[1] ?? "", new RegExp(` ${pid} .* sleep 100000$`));
});

ps("the options behind the id are those of ps", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  const { stdout } = succeed(await c.runt(["ps", c.id, "-e", "-o", "pid,comm"]));
  assert.match(stdout, new RegExp(`^ *PID COMMAND\n *${pid} sleep\n$`));
});

for (const word of ["list", "exec"])
  ps(
    `ps has the caller's PATH and little else [one of its words is ${word}]`,
    async (c) => {
      await runWaiting(c);
      const { pid } = await c.state();
      writeFileSync(
        join(c.dir, "ps"),
        `#!/bin/sh\necho PID MARK; echo ${pid} $PATH $MARK $RUNT_SEALED_FD\n`,
        {
          mode: 0o755,
        },
      );
      const command = [runtimePath, "--root", c.root, "ps", c.id, word];
      const env = { PATH: `${c.dir}:/bin`, MARK: "the-caller" };
      assert.is(succeed(await runCommand(command, { env })).stdout, `PID MARK\n${pid} ${env.PATH}\n`);
    },
    { needs: ["built"] },
  );

ps("works with no environment at all", async (c) => {
  await runWaiting(c);
  const command = [runtimePath, "--root", c.root, "ps", c.id, "-ef"];
  assert.match(succeed(await runCommand(command, { env: {} })).stdout, "sleep 100000");
});

ps("without a PID column it is refused, and so is what ps refuses", async (c) => {
  await runWaiting(c);
  refuse(await c.runt(["ps", c.id, "-o", "comm"]), "couldn't find PID field in ps output");
  refuse(await c.runt(["ps", c.id, "--nonsense"]), "unknown gnu long option");
  refuse(await c.runt(["ps", "--format", "xml", c.id]), "invalid format option");
  assert.is((await c.runt(["ps", "nobody"])).status, 1);
  refuse(await c.runt(["ps", "nobody"]), "container does not exist");
});

ps.run();
