// Packages: of a stand-in for the executable where only their form matters.
import "../conformance/bun_host.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";
import { type Need, needs } from "../conformance/needs.ts";
import { makeDeb, makeNpm } from "./package.ts";
import { ownTarget, packageVersion, targetNamed } from "./targets.ts";

const packages = suite("packages");
const built = join(import.meta.dirname, "../dist/runt");

function packaging(title: string, body: (dir: string) => void, ...all: Need[]): void {
  if (!needs(`packages: ${title}`, ...all)) {
    packages.skip(title, () => {});
    return;
  }
  packages(title, () => {
    const dir = mkdtempSync(join(tmpdir(), "packages-"));
    try {
      body(dir);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

const run = (...argv: string[]): string => {
  const { stdout, stderr, status } = spawnSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${argv.join(" ")}: exit ${status}: ${stdout}${stderr}`);
  return stdout;
};

/** A program that says its arguments. */
function standIn(dir: string): string {
  const file = join(dir, "stand-in");
  writeFileSync(file, '#!/bin/sh\necho "stand-in $*"\n', { mode: 0o755 });
  return file;
}

packaging(
  "a .deb: its fields, owners and files; dpkg takes it",
  (dir) => {
    const deb = makeDeb({ target: ownTarget(), executable: standIn(dir), to: dir });
    const field = (name: string): string => run("dpkg-deb", "--field", deb, name).trim();
    assert.is(field("Package"), "runt");
    assert.is(field("Version"), packageVersion());
    assert.is(field("Architecture"), run("dpkg", "--print-architecture").trim());
    assert.match(field("Depends"), /^libc6 /);
    const lines = run("dpkg-deb", "--contents", deb).trim().split("\n");
    for (const line of lines) assert.match(line, /^[d-]rw[x-]r-[x-]r-[x-] root\/root /);
    const files = lines.map((line) => line.replace(/.* \.\//, "/"));
    for (const file of [
      "/usr/bin/runt",
      "/usr/share/man/man8/runt-create.8.gz",
      "/usr/share/bash-completion/completions/runt",
      "/usr/share/zsh/vendor-completions/_runt",
      "/usr/share/fish/vendor_completions.d/runt.fish",
      "/usr/share/doc/runt/copyright",
      "/usr/share/doc/runt/changelog.gz",
      "/usr/share/lintian/overrides/runt",
      "/usr/share/doc/runt/docs/engines.md",
    ])
      assert.ok(files.includes(file), file);
    const unpacked = join(dir, "unpacked");
    run("dpkg-deb", "--extract", deb, unpacked);
    assert.is(run(join(unpacked, "usr/bin/runt"), "x"), "stand-in x\n");
    // A machine of its own for dpkg, where nothing that runt depends on is installed.
    const machine = join(dir, "machine");
    mkdirSync(join(machine, "var/lib/dpkg/updates"), { recursive: true });
    for (const name of ["status", "available"]) writeFileSync(join(machine, "var/lib/dpkg", name), "");
    mkdirSync(join(machine, "var/lib/dpkg/info"));
    const dpkg = (...argv: string[]) =>
      run("dpkg", `--root=${machine}`, "--force-not-root,depends", "--log=/dev/null", ...argv);
    dpkg("--install", deb);
    assert.ok(existsSync(join(machine, "usr/bin/runt")));
    dpkg("--purge", "runt");
    assert.not.ok(existsSync(join(machine, "usr/bin/runt")));
  },
  "dpkg-deb",
  "dpkg",
  "built",
);

packaging(
  "a package for npm: what it holds, and that it installs without a registry",
  (dir) => {
    const target = ownTarget();
    const archive = makeNpm({ target, executable: standIn(dir), to: dir });
    const files = run("tar", "-tzf", archive).trim().split("\n");
    const pages = commands.filter(({ command }) => command !== undefined).map(({ name }) => `runt-${name}.8`);
    for (const file of ["package.json", "bin/runt", "README.md", "LICENSE", "docs/engines.md"])
      assert.ok(files.includes(`package/${file}`), file);
    for (const page of pages) assert.ok(files.includes(`package/share/man/man8/${page}`), page);
    assert.not.ok(files.some((file) => /\.ts$|node_modules/.test(file)));
    const prefix = join(dir, "prefix");
    run("npm", "install", "--silent", "--offline", "--global", "--prefix", prefix, archive);
    assert.is(run(join(prefix, "bin/runt"), "y"), "stand-in y\n");
    assert.ok(existsSync(join(prefix, "share/man/man8/runt.8")));
    const other = targetNamed(target.cpu === "x64" ? "linux-arm64" : "linux-x64");
    const foreign = makeNpm({ target: other, executable: standIn(dir), to: dir });
    assert.throws(
      () => run("npm", "install", "--offline", "--global", "--prefix", join(dir, "other"), foreign),
      /EBADPLATFORM/,
    );
  },
  "npm",
  "built",
);

/** Runs `$3...` in a copy of this system in `$1`, an overlay, with the file `$2` in its root directory. */
const inCopy = `mount -t tmpfs copy "$1" && cd "$1" && mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
mount -t proc proc root/proc
mount -t tmpfs tmp root/tmp
cp "$2" root/runt.deb
shift 2
exec chroot root "$@"`;

packaging(
  "a .deb of this build: dpkg installs it on this Debian, with what it depends on; it runs, and goes without a trace",
  (dir) => {
    const deb = makeDeb({ target: ownTarget(), executable: built, to: dir, compression: "none" });
    const copy = join(dir, "copy");
    mkdirSync(copy);
    const script = `dpkg --install /runt.deb >/dev/null
runt=/usr/bin/runt; $runt --version | head -n1; dpkg --verify runt
$runt spec --bundle /tmp; test -s /tmp/config.json; dpkg --listfiles runt >/tmp/files; grep -c /man8/runt /tmp/files
echo spoilt >>/usr/share/doc/runt/README.md; dpkg --verify runt
dpkg --purge runt >/dev/null
while read -r file; do [ -d "$file" ] || [ ! -e "$file" ] || echo "$file"; done </tmp/files
ls -d /usr/share/doc/runt /var/lib/dpkg/info/runt.* 2>/dev/null || true`;
    const argv = ["unshare", "-m", "sh", "-ec", inCopy, "sh", copy, deb, "sh", "-ec", script];
    const { stdout, stderr, status } = spawnSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" });
    const pages = commands.filter(({ command }) => command !== undefined).length + 1;
    const [version = "", ...lines] = stdout.trim().split("\n");
    assert.is(status, 0, stderr);
    assert.match(run(built, "--version"), version);
    assert.equal(lines, [`${pages}`, "??5??????   /usr/share/doc/runt/README.md"]);
  },
  "root",
  "overlay",
  "unshare",
  "dpkg-deb",
  "dpkg",
  "built",
);

packages.run();
