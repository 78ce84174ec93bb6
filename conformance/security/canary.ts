// A host directory that nothing in a test may touch: its files' contents, modes, owners and names before and
// after are compared.
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Fixture } from "../harness.ts";

export type Canary = { readonly dir: string; readonly assertUntouched: () => void };

export function makeCanary(c: Fixture): Canary {
  const dir = join(c.dir, "canary");
  mkdirSync(dir);
  writeFileSync(join(dir, "ptmx"), "decoy");
  writeFileSync(join(dir, "secret"), "host file");
  writeFileSync(join(dir, "program"), "#!/bin/sh\necho ran a host file\n", { mode: 0o755 });
  const before = describe(dir);
  return { dir, assertUntouched: () => assert.equal(describe(dir), before) };
}

/** One line for the directory and for each thing in it. */
function describe(path: string): string[] {
  const stat = lstatSync(path);
  const line = `${path} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.ino} ${stat.rdev}`;
  if (stat.isSymbolicLink()) return [`${line} -> ${readlinkSync(path)}`];
  if (stat.isFile()) return [`${line} ${readFileSync(path, "utf8")}`];
  if (!stat.isDirectory()) return [line];
  return [line, ...readdirSync(path).flatMap((name) => describe(join(path, name)))];
}
