import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { faultsPath, needs } from "../conformance/needs.ts";
import { build, programOf, traces } from "./build.ts";
import { moved } from "./engine.ts";

const building = suite("build");
const root = join(import.meta.dirname, "..");
const release = join(root, "dist/runt");

function inScratch(title: string, body: (dir: string) => void | Promise<void>): void {
  building(title, async () => {
    const dir = mkdtempSync(join(tmpdir(), "build-"));
    try {
      await body(dir);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

/** A copy of what is built, with the libraries and packages of this checkout. */
function checkout(dir: string): string {
  mkdirSync(join(dir, "dist"), { recursive: true });
  for (const name of ["cmd", "runtime", "syscalls", "scripts", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(dir, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  symlinkSync(join(root, "dist/sysroot"), join(dir, "dist/sysroot"));
  return dir;
}

inScratch("two builds of one tree are the same, wherever it is and whatever surrounds them", (dir) => {
  const { PATH = "", QUICKJS = "" } = process.env;
  const built = (checkedOut: string, env: Readonly<Record<string, string>>): Buffer => {
    const argv = ["run", "scripts/build.ts"];
    execFileSync(process.execPath, argv, { cwd: checkedOut, env: { PATH, QUICKJS, ...env } });
    return readFileSync(join(checkedOut, "dist/runt"));
  };
  const one = built(checkout(join(dir, "one")), {});
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`VARIABLE_${i}`, "x".repeat(i)]));
  const surroundings = {
    ...many,
    HOME: dir,
    TMPDIR: dir,
    TZ: "Asia/Tokyo",
    LANG: "tr_TR.UTF-8",
    NODE_ENV: "other",
  };
  const other = built(checkout(join(dir, "with/another/and/longer/name")), surroundings);
  assert.ok(one.equals(other));
  for (const text of [dir, "VARIABLE_", "Tokyo"]) assert.not.ok(one.includes(text), text);
});

/** Builds a program whose module top.ts has this text. */
async function program(dir: string, top: string): Promise<string> {
  writeFileSync(join(dir, "top.ts"), top);
  writeFileSync(join(dir, "main.ts"), 'import "./top.ts";\nglobalThis.main = () => 7;\n');
  return build({ entry: join(dir, "main.ts"), output: join(dir, "program") });
}

/** That the build fails with this. */
async function refused(dir: string, top: string, expected: RegExp): Promise<void> {
  const said = await program(dir, top).then(
    () => "it was built",
    (error: Error) => error.message,
  );
  assert.match(said, expected);
}

inScratch("a program of one's own: it starts with what its modules made", async (dir) => {
  const executable = await program(dir, "globalThis.made = 7;");
  assert.is(spawnSync(executable).status, 7);
});

inScratch(
  "a module that looks at the machine when it is loaded fails the build, which names it",
  async (dir) => {
    const host = `import { host } from ${JSON.stringify(join(root, "syscalls/engine/host.ts"))};\n`;
    const calls = {
      syscall: "host.syscall(39)",
      arguments: "host.arguments()",
      environment: "host.environment()",
      seccompInit: "host.seccompInit(0, 0, 0)",
    };
    for (const [name, call] of Object.entries(calls))
      await refused(
        dir,
        `${host}export const value = ${call};`,
        new RegExp(`${name}: not while .*\\(\\S*top\\.ts\\)`, "s"),
      );
    await refused(dir, 'throw new Error("on purpose");', /on purpose.*\(\S*top\.ts\)/s);
    await refused(dir, "export const home = process.env.HOME;", /'process' is not defined.*\(\S*top\.ts\)/s);
    await refused(dir, "await new Promise(() => {});", /no function main/);
  },
);

inScratch(
  "where a module stood is not in the program, nor what Node's modules would be told",
  async (dir) => {
    await program(dir, "globalThis.said = [__dirname, __filename, process.env.NODE_ENV];");
    const text = readFileSync(programOf(join(dir, "program")), "utf8");
    assert.match(text, '[void 0, void 0, "production"]');
  },
);

building("what tells of the machine that built it is found, but for what the program says", () => {
  const variable = "TELLTALE=of the machine";
  process.env.TELLTALE = "of the machine";
  try {
    const nothing = Buffer.of();
    assert.equal(traces(Buffer.from(`\0${variable}\0`), nothing), [variable]);
    assert.equal(traces(Buffer.from(`\0${variable}\0`), Buffer.from(`"${variable}"`)), []);
    assert.ok(traces(Buffer.from(`\0${root}/x.c\0`), nothing).includes(root));
    assert.equal(traces(readFileSync(release), readFileSync(programOf(release))), []);
  } finally {
    delete process.env.TELLTALE;
  }
});

building("what has moved between two links is found", () => {
  const before = new Map([
    ["main ", "401000"],
    ["JS_Call ", "402000"],
  ]);
  assert.equal(moved(before, new Map(before)), []);
  assert.equal(moved(before, new Map([...before, ["JS_Call ", "402010"]])), ["JS_Call "]);
  assert.equal(moved(before, new Map([["main ", "401000"]])), ["JS_Call "]);
  assert.equal(moved(before, new Map([...before, ["more ", "403000"]])), ["more "]);
});

building("the fault hook is in the build for tests alone", () => {
  assert.not(readFileSync(release).includes("RUNT_FAULT"));
  if (needs("build: the fault hook in the build for tests", "faults"))
    assert.ok(readFileSync(faultsPath).includes("RUNT_FAULT"));
});

building("one small static file, in which nothing that can be written can be run", () => {
  const readelf = (...args: string[]): string =>
    execFileSync("readelf", ["--wide", ...args, release], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
  const segments = readelf("--segments");
  assert.match(segments, /^Elf file type is EXEC /m);
  assert.not.match(segments, /\b(INTERP|DYNAMIC)\b/);
  assert.match(segments, /^ +GNU_RELRO /m);
  const flags = [...segments.matchAll(/^ +(LOAD|GNU_STACK) +(?:0x\S+ +){5}([RWE ]{3})/gm)].map(
    ([, type = "", flag = ""]) => `${type} ${flag.replaceAll(" ", "")}`,
  );
  assert.ok(flags.includes("GNU_STACK RW"));
  assert.ok(flags.includes("LOAD RE"));
  for (const flag of flags) assert.not.match(flag, /W.*E/);
  assert.match(readelf("--dynamic"), "There is no dynamic section in this file");
  assert.not.match(readelf("--sections"), /\.(symtab|comment|debug\S*)\b/);
  assert.ok(statSync(release).size <= 6 << 20);
});

building.run();
