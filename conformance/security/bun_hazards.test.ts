// The executable is made by Bun, and Bun's own switches must be dead in it: variables that turn it into a
// JavaScript interpreter, load other files first, open a debugger, or write files, and configuration files
// and libraries that lie in the working directory.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const hazards = conformance("Bun's switches");

type Hazard = { readonly dir: string; readonly marker: string; readonly preload: string };

/** A working directory full of traps; each would create the marker file. */
function trap(c: Fixture): Hazard {
  const dir = join(c.dir, "evil");
  const marker = join(c.dir, "marker");
  const preload = join(dir, "preload.js");
  mkdirSync(dir);
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write("preload.js", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "ran");`);
  write(
    "bunfig.toml",
    `preload = [${JSON.stringify(preload)}]\n[run]\npreload = [${JSON.stringify(preload)}]\n`,
  );
  write(".bunfig.toml", `preload = [${JSON.stringify(preload)}]\n`);
  write(".env", `BUN_BE_BUN=1\nBUN_OPTIONS=--preload=${preload}\nXDG_RUNTIME_DIR=/evil\n`);
  write("tsconfig.json", "{ this is not JSON");
  write("package.json", `{"type":"module","imports":{"#x":"./preload.js"},"main":"preload.js"}`);
  for (const name of [
    "seccomp.so.2",
    "systemd.so.0",
    "c.so.6",
    "selinux.so.1",
    "dl.so.2",
    "m.so.6",
    "pthread.so.0",
  ])
    write(`lib${name}`, "not a library");
  mkdirSync(join(dir, "node_modules/yargs"), { recursive: true });
  symlinkSync(preload, join(dir, "node_modules/yargs/index.js"));
  return { dir, marker, preload };
}

const variables = (hazard: Hazard): readonly Record<string, string>[] => [
  { BUN_BE_BUN: "1" },
  { BUN_BE_BUN: "true" },
  { BUN_OPTIONS: `--preload=${hazard.preload}` },
  { BUN_OPTIONS: `-r ${hazard.preload}` },
  { BUN_OPTIONS: `--config=${join(hazard.dir, "bunfig.toml")}` },
  { BUN_OPTIONS: "--cwd=/" },
  { BUN_INSPECT: "ws://127.0.0.1:0/x?wait=1" },
  { BUN_INSPECT: `ws+unix://${hazard.marker}` },
  { BUN_INSPECT_PRELOAD: hazard.preload },
  { BUN_BYTECODE_ORDER_OUT: hazard.marker },
  { NODE_OPTIONS: `--require ${hazard.preload}` },
  { BUN_PRELOAD: hazard.preload },
  { BUN_CONFIG_FILE: join(hazard.dir, "bunfig.toml") },
  { XDG_CONFIG_HOME: hazard.dir },
  { TZ: "Pacific/Kiritimati" },
  { TZ: `:${hazard.preload}` },
];

const base = { PATH: process.env.PATH ?? "" };
const said = ({ status, signal, stdout, stderr }: Result) => ({ status, signal, stdout, stderr });
const count = Array.from({ length: variables({ dir: "", marker: "", preload: "" }).length }, (_, i) => i);

for (const index of count) {
  const names = Object.entries(variables({ dir: "DIR", marker: "MARKER", preload: "PRELOAD" })[index] ?? {});
  const title = names.map(([name, value]) => `${name}=${value}`).join(" ");
  hazards(
    `${title} changes nothing`,
    async (c) => {
      const hazard = trap(c);
      const env = { ...base, ...variables(hazard)[index] };
      c.configure((spec) => shell(spec, "exec sleep 60"));
      succeed(await c.create({ env: base }));
      for (const args of [
        ["--version"],
        ["state", c.id],
        ["list", "-q"],
        ["kill", c.id, "0"],
        ["run", "--nonsense"],
      ]) {
        const plain = await c.runt(args, { env: base, cwd: c.dir, timeoutSeconds: 10 });
        const trapped = await c.runt(args, { env, cwd: hazard.dir, timeoutSeconds: 10 });
        assert.equal(withoutTime(said(trapped)), withoutTime(said(plain)), args.join(" "));
      }
      succeed(await c.deleteForce());
      succeed(await c.create({ env, cwd: hazard.dir, timeoutSeconds: 10 }));
      succeed(await c.runt(["start", c.id], { env, cwd: hazard.dir, timeoutSeconds: 10 }));
      assert.is((await c.state()).status, "running");
      assert.not(existsSync(hazard.marker), "the trap was run");
    },
    { needs: ["built"] },
  );
}

/** Error records carry the time of day. */
function withoutTime(result: ReturnType<typeof said>): ReturnType<typeof said> {
  return { ...result, stderr: result.stderr.replace(/time="[^"]*"/g, "time") };
}

hazards(
  "Bun's variables in the image's environment do nothing, and reach the process as data",
  async (c) => {
    const hazard = trap(c);
    const all = Object.assign({}, ...variables(hazard)) as Record<string, string>;
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", ...Object.entries(all).map(([name, value]) => `${name}=${value}`)];
      shell(spec, "cat /proc/1/environ");
    });
    const seen = succeed(await c.run({ timeoutSeconds: 10 })).stdout.split("\0");
    for (const [name, value] of Object.entries(all)) assert.ok(seen.includes(`${name}=${value}`), name);
    assert.not(existsSync(hazard.marker));
  },
  { needs: ["built"] },
);

hazards("the log's time does not depend on TZ files, and is RFC 3339", async (c) => {
  const log = join(c.dir, "log");
  const args = ["--log", log, "--log-format", "json", "state", "nobody"];
  await runCommand([runtimePath, "--root", c.root, ...args], { env: { ...base, TZ: "Nowhere/Else" } });
  const { time } = JSON.parse(readFileSync(log, "utf8")) as { time: string };
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
});

hazards("nothing is written to the working directory", async (c) => {
  const hazard = trap(c);
  const before = readdirSync(hazard.dir).sort();
  succeed(await c.create({ cwd: hazard.dir }));
  succeed(await c.runt(["start", c.id], { cwd: hazard.dir }));
  assert.equal(readdirSync(hazard.dir).sort(), before);
});

hazards.run();
