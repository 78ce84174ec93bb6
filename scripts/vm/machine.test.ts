import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runInMachine } from "./machine.ts";

const machine = suite("test machine");

/** Where QEMU should be, a shell script. */
async function withEmulator(script: string, body: () => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "emulator-"));
  const { PATH } = process.env;
  writeFileSync(join(dir, "qemu-system-x86_64"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${dir}:${PATH}`;
  try {
    await body();
  } finally {
    process.env.PATH = PATH;
    rmSync(dir, { recursive: true });
  }
}

const run = (limits: { readonly timeoutSeconds: number; readonly firstWordSeconds?: number }) =>
  runInMachine(
    { architecture: "x64", dir: "/nonexistent" },
    {
      command: "true",
      shares: [],
      cwd: "/",
      ...limits,
      stdout: () => {},
      stderr: () => {},
    },
  );

machine("one that hangs is ended, and that it said nothing is told", () =>
  withEmulator("exec sleep 1000", async () => {
    assert.equal(await run({ timeoutSeconds: 600, firstWordSeconds: 1 }), {
      failure: "the test machine said nothing within 1 s\n",
      timedOut: true,
      silent: true,
    });
    assert.match(JSON.stringify(await run({ timeoutSeconds: 2 })), "said nothing within 2 s");
  }),
);

machine("one that ends by itself without a status", () =>
  withEmulator("echo why >&2", async () => {
    assert.equal(await run({ timeoutSeconds: 600 }), {
      failure: "the test machine ended without a status\nwhy\n",
      timedOut: false,
      silent: true,
    });
  }),
);

machine.run();
