import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exampleSpec } from "./example.ts";
import { stringifyJson } from "./read.ts";

const example = suite("exampleSpec");

const ids = { euid: process.geteuid?.() ?? 0, egid: process.getegid?.() ?? 0 };

/** What an installed runc writes, or undefined after saying that there is none. */
function runcSpec(...args: readonly string[]): string | undefined {
  const runc = Bun.which("runc");
  if (runc === null) {
    console.log("skipped: comparison with `runc spec`, runc is not installed");
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), "spec-"));
  try {
    const { exitCode, stderr } = Bun.spawnSync([runc, "spec", ...args], { cwd: directory });
    assert.is(exitCode, 0, stderr.toString());
    return readFileSync(join(directory, "config.json"), "utf8");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const rootless of [false, true])
  example(
    `${rootless ? "the rootless one is" : "it is"} what runc prints, letter by letter but for the version`,
    () => {
      const theirs = runcSpec(...(rootless ? ["--rootless"] : []));
      if (theirs === undefined) return;
      const cgroup2 = theirs.includes('"type": "cgroup"\n');
      const ours = stringifyJson(exampleSpec({ rootless, ...ids, cgroup2 }), "\t");
      assert.is(ours, theirs.replace(/"ociVersion": "[^"]*"/, '"ociVersion": "1.3.0"'));
    },
  );

example("the rootless one maps root to the caller", () => {
  const { linux } = exampleSpec({ rootless: true, euid: 1000, egid: 1001 });
  assert.equal(linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.equal(linux?.gidMappings, [{ containerID: 0, hostID: 1001, size: 1 }]);
  assert.is(linux?.resources, undefined);
});

example("a host with cgroup v2 gives a cgroup namespace", () => {
  const types = exampleSpec({ rootless: true, euid: 1, egid: 1, cgroup2: true }).linux?.namespaces?.map(
    ({ type }) => type,
  );
  assert.equal(types, ["pid", "ipc", "uts", "mount", "cgroup", "user"]);
});

example.run();
