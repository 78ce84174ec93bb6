import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { faultsPath, needs } from "../conformance/needs.ts";
import { flags, overwrite, replacements } from "./build.ts";

const build = suite("build");
const release = join(import.meta.dirname, "../dist/runt");

/** Compiles a program of this text with the flags of every build. */
function compile(text: string): { readonly status: number | null; readonly stderr: string } {
  const dir = mkdtempSync(join(tmpdir(), "build-"));
  try {
    writeFileSync(join(dir, "main.ts"), text);
    const args = ["build", ...flags, join(dir, "main.ts"), "--outfile", join(dir, "main")];
    return spawnSync(process.execPath, args, { cwd: dir, encoding: "utf8" });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

build("an import of a computed name is refused", () => {
  assert.is(compile("console.log(process.argv);").status, 0);
  const { status, stderr } = compile("await import(process.argv[2]);");
  assert.is(status, 1);
  assert.match(stderr, /Unresolved|unresolved|could not be resolved/);
});

build("a name that is to be overwritten and is not there is an error: in what was built none is left", () => {
  const file = readFileSync(release);
  for (const replacement of replacements)
    assert.throws(() => overwrite(file, replacement), / is not in the executable: has Bun changed\?$/);
});

build("the fault hook is in the build for tests alone", () => {
  assert.not(readFileSync(release).includes("RUNT_FAULT"));
  if (needs("build: the fault hook in the build for tests", "faults"))
    assert.ok(readFileSync(faultsPath).includes("RUNT_FAULT"));
});

build.run();
