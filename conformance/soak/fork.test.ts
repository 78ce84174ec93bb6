// serial
// Forking an engine that runs JavaScript is what everything here stands on (runtime/process/fork.ts). RUNT_SOAK says
// how often; `npm run soak` takes its time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ENGINE } from "../../runtime/process/seal.ts";
import { runCommand, startCommand } from "../command.ts";

const forks = suite("fork");

const count = Number(process.env.RUNT_SOAK ?? 2000);
const program = join(import.meta.dirname, "fork_program.ts");
const engine = Object.fromEntries(ENGINE.map((entry) => entry.split("=") as [string, string]));

/** The program compiled, as the runtime is: what loads TypeScript has threads of its own. */
async function withProgram(body: (file: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "soak-"));
  const file = join(dir, "program");
  try {
    const built = await runCommand([process.execPath, "build", "--compile", "--outfile", file, program]);
    assert.is(built.status, 0, built.stderr);
    await body(file);
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
      const options = { env: engine, timeoutSeconds: 60 + count / 10 };
      const result = await runCommand([file, String(count)], options);
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

forks("a process of more than one thread refuses to fork", async () => {
  // Bun's own command line, whose engine has the threads that it has by default.
  const result = await runCommand([process.execPath, "run", program, "1"], { env: {}, timeoutSeconds: 30 });
  assert.match(result.stderr, /refusing to fork with \d+ threads/);
  assert.is(result.stdout, "");
  assert.is(result.status, 1);
});

forks.run();
