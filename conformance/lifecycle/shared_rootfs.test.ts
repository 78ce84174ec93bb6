// Many containers with one root file system, started at the same time: each makes the mount points that are missing,
// and finds that another one was first. That is no attack.
import { cpSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type CommandOptions, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const containers = 80;
/** So many that they meet. */
const mountPoints = 60;

const runcMayFail = "runc 1.3 takes it for an error, too";

const shared = conformance("one root file system for many containers");

/** Runs all of them at once; `destination` is one mount point of each. */
async function runAll(c: Fixture, type: "bind" | "tmpfs", destination: (n: number) => string): Promise<void> {
  const source = join(c.dir, "file");
  writeFileSync(source, "");
  c.configure((spec) => {
    spec.root.path = c.rootfs;
    for (let n = 0; n < mountPoints; n++)
      spec.mounts.push(
        type === "bind"
          ? { destination: destination(n), type, source, options: ["bind"] }
          : { destination: destination(n), type, source: "tmpfs" },
      );
    shell(spec, "grep -c ' /made/' /proc/self/mountinfo");
  });
  const options: CommandOptions = { timeoutSeconds: 120 };
  const bundles = Array.from({ length: containers }, (_, n) => join(c.dir, `bundle${n}`));
  for (const bundle of bundles) {
    mkdirSync(bundle);
    cpSync(join(c.bundle, "config.json"), join(bundle, "config.json"));
  }
  const results = await Promise.all(
    bundles.map((bundle, n) =>
      runCommand([runtimePath, "--root", c.root, "run", "--bundle", bundle, `${c.id}${n}`], options),
    ),
  );
  for (const result of results) assert.is(succeed(result).stdout, `${mountPoints}\n`);
}

shared(
  "files that are missing",
  async (c) => {
    await runAll(c, "bind", (n) => `/made/${n}`);
    assert.ok(lstatSync(join(c.rootfs, "made/0")).isFile());
  },
  { runcMayFail },
);

shared(
  "files where links lead to nowhere yet",
  async (c) => {
    for (let n = 0; n < mountPoints; n++) symlinkSync(`/made/by/a/link/${n}`, join(c.rootfs, `etc/${n}`));
    await runAll(c, "bind", (n) => `/etc/${n}`);
    assert.ok(lstatSync(join(c.rootfs, "etc/0")).isSymbolicLink());
  },
  { runcMayFail },
);

shared("directories that are missing", async (c) => {
  await runAll(c, "tmpfs", (n) => `/made/${n}/below`);
});

shared.run();
