// The cache of compiled profiles: libseccomp is opened once for a profile, and nothing else than what this program
// wrote is ever loaded.
import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const cache = conformance("seccomp cache");
const needs = ["built"] as const;

function configure(c: Fixture, errnoRet = 28): void {
  c.configure((spec) => {
    spec.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet }],
    };
    shell(spec, "mkdir /tmp/x");
  });
}

const entries = (c: Fixture): string[] => readdirSync(join(c.root, ".seccomp-cache"));
const entry = (c: Fixture): string => join(c.root, ".seccomp-cache", entries(c)[0] ?? "");

/** Runs the container, whose mkdir fails by the filter; true when the profile was compiled for it. */
async function compiles(c: Fixture): Promise<boolean> {
  const trace = join(c.dir, "trace");
  refuse(await c.runt(["--trace", trace, "run", "--bundle", c.bundle, c.id]), "No space left on device");
  const text = readFileSync(trace, "utf8");
  assert.match(text, "seccomp(SECCOMP_SET_MODE_FILTER");
  return /memfd_create\("seccomp"/.test(text);
}

cache(
  "the second container does without libseccomp",
  async (c) => {
    configure(c);
    assert.is(await compiles(c), true);
    assert.is(await compiles(c), false);
    assert.is(entries(c).length, 1);
  },
  { needs },
);

cache(
  "no library of the host is opened, for the first container or another [strace]",
  async (c) => {
    configure(c);
    for (let i = 0; i < 2; i++) {
      const log = join(c.dir, "strace");
      const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
      await runCommand(["strace", "-f", "-o", log, "-e", "trace=openat,open", ...command]);
      const text = readFileSync(log, "utf8");
      assert.match(text, "config.json");
      assert.not.match(text, /\.so\b/);
    }
  },
  { needs: ["built", "strace"] },
);

cache(
  "another profile is another program",
  async (c) => {
    configure(c);
    assert.is(await compiles(c), true);
    configure(c, 2);
    refuse(await c.run(), "No such file or directory");
    assert.is(entries(c).length, 2);
  },
  { needs },
);

cache(
  "--debug tells where the program comes from, and what it cost",
  async (c) => {
    configure(c);
    const log = join(c.dir, "log");
    for (const how of ["compiled", "read from the cache"]) {
      refuse(await c.runt(["--debug", "--log", log, "run", "--bundle", c.bundle, c.id]), "No space left");
      assert.match(
        readFileSync(log, "utf8"),
        new RegExp(`seccomp program of \\d+ instructions ${how} in \\d+ us`),
      );
    }
  },
  { needs },
);

cache(
  "a program under the name of another profile is not loaded, and gives way to the right one",
  async (c) => {
    configure(c);
    assert.is(await compiles(c), true);
    const name = entry(c);
    configure(c, 2);
    refuse(await c.run(), "No such file or directory");
    const second = entries(c).find((file) => join(c.root, ".seccomp-cache", file) !== name);
    renameSync(join(c.root, ".seccomp-cache", second ?? ""), name);
    configure(c);
    assert.is(await compiles(c), true);
    assert.is(await compiles(c), false);
    assert.is(entries(c).length, 1);
  },
  { needs },
);

const poisons: readonly (readonly [string, (file: string) => void])[] = [
  [
    "an instruction changed",
    (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] = 0x12;
      writeFileSync(file, bytes);
    },
  ],
  ["owned by user 1000", (file) => chownSync(file, 1000, 1000)],
  ["writable by everyone", (file) => chmodSync(file, 0o666)],
];
for (const [title, poison] of poisons)
  cache(
    `a poisoned program is compiled anew [${title}]`,
    async (c) => {
      configure(c);
      assert.is(await compiles(c), true);
      poison(entry(c));
      assert.is(await compiles(c), true);
      assert.is(await compiles(c), false);
    },
    { needs },
  );

cache(
  "list does not take it for a container, and no container can have its name",
  async (c) => {
    configure(c);
    await c.run();
    assert.ok(existsSync(entry(c)));
    assert.is(succeed(await c.runt(["list", "--quiet"])).stdout, "");
    const deleted = await c.runt(["delete", "--force", ".seccomp-cache"]);
    refuse(deleted, "invalid container ID format");
    assert.ok(existsSync(entry(c)));
  },
  { needs },
);

cache.run();
