// vm
// `spec`: the same file as runc's, but for the version of the specification.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { type Need, runtimePath } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";
import { asUser, runtimeForAll } from "../other_user.ts";

const spec = conformance("spec");

const ofOtherVersion = /"ociVersion": "[^"]*"/;
const onlyUnified = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"';

/** How the runtime is started. */
type Host = {
  readonly title: string;
  readonly wrap: (argv: readonly string[]) => string[];
  readonly needs: readonly Need[];
};

const hosts: readonly Host[] = [
  { title: "this host", wrap: (argv) => [...argv], needs: [] },
  {
    title: "not by root",
    wrap: (argv) => asUser(argv, 1234, 5678),
    needs: ["setpriv"],
  },
  {
    title: "cgroup v2 alone",
    wrap: (argv) => ["unshare", "-m", "sh", "-ec", onlyUnified, "sh", ...argv],
    needs: ["unshare", "mount"],
  },
];

/** What `spec` with these options writes into a directory of its own. */
async function written(c: Fixture, name: string, argv: string[]): Promise<string> {
  const dir = join(c.dir, name);
  mkdirSync(dir);
  chmodSync(c.dir, 0o755);
  chmodSync(dir, 0o777);
  const { stdout, stderr } = succeed(await runCommand(argv, { cwd: dir }));
  assert.is(stdout + stderr, "");
  assert.equal(readdirSync(dir), ["config.json"]);
  return readFileSync(join(dir, "config.json"), "utf8");
}

for (const { title, wrap, needs } of hosts)
  for (const options of [[], ["--rootless"]])
    spec(
      `${["spec", ...options].join(" ")} [${title}]: letter by letter what runc writes`,
      async (c) => {
        const ours = await written(c, "ours", wrap([runtimeForAll(c), "spec", ...options]));
        const theirs = await written(c, "theirs", wrap([runcPath(), "spec", ...options]));
        assert.match(theirs, ofOtherVersion);
        // Since 1.2 runc leaves out a set that no kernel can grant without the inheritable one.
        const newer = theirs.replace(/,\n\t*"ambient": \[[^\]]*\]/, "");
        assert.is(ours, newer.replace(ofOtherVersion, (ofOtherVersion.exec(ours) ?? [""])[0]));
      },
      { needs: ["runc", ...needs] },
    );

spec("what it writes runs without a warning", async (c) => {
  const text = await written(c, "ours", [runtimePath, "spec"]);
  const document = JSON.parse(text) as { process: object; root: object };
  Object.assign(document.process, { terminal: false, args: ["echo", "fine"] });
  Object.assign(document.root, { path: c.rootfs });
  writeFileSync(join(c.bundle, "config.json"), JSON.stringify(document));
  const { stdout, stderr } = succeed(await c.run());
  assert.equal([stdout, stderr], ["fine\n", ""]);
});

spec(
  "what it writes is of the specification's version",
  async (c) => {
    const ours = await written(c, "ours", [runtimePath, "spec"]);
    assert.is((JSON.parse(ours) as { ociVersion: string }).ociVersion, "1.3.0");
  },
  { needs: ["built"] },
);

for (const options of [["--bundle", "BUNDLE"], ["--bundle=BUNDLE"], ["-b", "BUNDLE"], ["-bundle", "BUNDLE"]])
  spec(`spec ${options.join(" ")}: there, and as the umask says`, async (c) => {
    const dir = join(c.dir, "there");
    mkdirSync(dir);
    const args = options.map((word) => word.replace("BUNDLE", dir));
    const command = ["sh", "-c", 'umask 027; exec "$@"', "sh", runtimePath, "spec", ...args];
    succeed(await runCommand(command, { cwd: c.dir }));
    assert.is(statSync(join(dir, "config.json")).mode & 0o7777, 0o640);
    assert.not(existsSync(join(c.dir, "config.json")));
  });

spec("a file that is there is left alone", async (c) => {
  const file = join(c.bundle, "config.json");
  writeFileSync(file, "mine");
  const { status } = refuse(
    await c.runt(["spec"], { cwd: c.bundle }),
    "File config.json exists. Remove it first",
  );
  assert.is(status, 1);
  assert.is(readFileSync(file, "utf8"), "mine");
});

spec("a directory that is not there", async (c) => {
  const { status } = refuse(
    await c.runt(["spec", "--bundle", join(c.dir, "no")]),
    "no such file or directory",
  );
  assert.is(status, 1);
});

spec(
  "a full disk: no half of a file",
  async (c) => {
    const script =
      'mount -t tmpfs -o size=4k tmpfs "$1"; cd "$1"; head -c 4096 /dev/zero >fill; shift; "$@"; echo "exit $?"; ls';
    const { stdout, stderr } = await runCommand([
      "unshare",
      "-m",
      "sh",
      "-c",
      script,
      "sh",
      c.bundle,
      runtimePath,
      "spec",
    ]);
    assert.match(stderr, "no space left on device");
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.is(stdout, "exit 1\nfill\n");
  },
  { needs: ["unshare", "mount"], runcFails: "runc 1.1.5 leaves an empty config.json" },
);

spec("a container runs from it, once its terminal is turned off", async (c) => {
  const text = await written(c, "bundle-of-spec", [runtimePath, "spec"]);
  const file = join(c.bundle, "config.json");
  writeFileSync(
    file,
    text.replace('"terminal": true', '"terminal": false').replace('"sh"', '"sh", "-c", "hostname"'),
  );
  assert.is(succeed(await c.run()).stdout, "runc\n");
});

spec.run();
