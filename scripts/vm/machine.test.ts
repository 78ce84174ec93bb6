import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runInMachine, scriptOf } from "./machine.ts";

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

machine("a checkout that only root may reach is one that every user reaches there", () => {
  const dir = mkdtempSync(join(tmpdir(), "shares-"));
  const home = join(dir, "home");
  const checkout = join(home, "a checkout's", "own");
  try {
    mkdirSync(home, { mode: 0o700 });
    const script = scriptOf({
      shares: [checkout, join(checkout, "below")].map((share) => ({ dir: share, writable: false })),
      cwd: checkout,
      command: "stat -c %A .. ../..; echo here",
    });
    const mount = `mount() { [ "$1 $2 $3" = "-t virtiofs -o" ] && echo "$5 $6" && chmod o-x "$6"; }`;
    const { stdout, stderr } = spawnSync("bash", ["-c", `${mount}\n${script}`], { encoding: "utf8" });
    const mounted = [`share0 ${checkout}`, `share1 ${join(checkout, "below")}`];
    assert.equal(stdout.split("\n"), [...mounted, "drwxr-xr-x", "drwx-----x", "here", ""], stderr);
    assert.is(statSync(checkout).mode & 0o777, 0o754, "what is shared is another machine's");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

machine.run();
