// serial
// Forking an engine that runs JavaScript is what everything here stands on (runtime/self/fork.ts). RUNT_SOAK says
// how often; `npm run soak` takes its time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { build } from "../../scripts/build.ts";
import { runCommand, startCommand } from "../command.ts";

const forks = suite("fork");

const count = Number(process.env.RUNT_SOAK ?? 2000);

/** The program frozen into an executable, as the runtime is. */
async function withProgram(body: (file: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "soak-"));
  try {
    const entry = join(import.meta.dirname, "fork_program.ts");
    await body(await build({ entry, output: join(dir, "program") }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

forks(`${count} times under load: no hang, no crash, no wrong status`, async () => {
  const burning = Array.from({ length: 2 }, () =>
    startCommand(["sh", "-c", "while :; do :; done"], { timeoutSeconds: 3600 }),
  );
  try {
    await withProgram(async (file) => {
      const result = await runCommand([file, String(count)], { timeoutSeconds: 60 + count / 10 });
      assert.is(result.stderr, "");
      assert.is(result.stdout, `${count} forks\n`);
      assert.is(result.timedOut, false);
      assert.is(result.status, 0);
    });
  } finally {
    for (const load of burning) load.kill("SIGKILL");
    await Promise.all(burning.map(({ done }) => done));
  }
});

forks.run();
