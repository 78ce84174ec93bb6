// Packages: of a stand-in for the executable where only their form matters.
import "../conformance/bun_host.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";
import { type Need, needs } from "../conformance/needs.ts";
import { programOf } from "./build.ts";
import { modulesIn, notices } from "./notices.ts";
import { makeDeb, makeNpm, type Packaging } from "./package.ts";
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

/** Of a program that says its arguments. */
function standIn(dir: string, target = ownTarget()): Packaging {
  const executable = join(dir, "stand-in");
  writeFileSync(executable, '#!/bin/sh\necho "stand-in $*"\n', { mode: 0o755 });
  return { target, executable, notices: "notices of a stand-in\n", to: dir };
}

packaging(
  "a .deb: its fields, owners and files; dpkg takes it",
  (dir) => {
    const deb = makeDeb(standIn(dir));
    const field = (name: string): string => run("dpkg-deb", "--field", deb, name).trim();
    assert.is(field("Package"), "runt");
    assert.is(field("Version"), packageVersion());
    assert.is(field("Architecture"), run("dpkg", "--print-architecture").trim());
    for (const name of ["Depends", "Pre-Depends", "Recommends"]) assert.is(field(name), "");
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
    assert.is(
      readFileSync(join(unpacked, "usr/share/doc/runt/copyright"), "utf8"),
      "notices of a stand-in\n",
    );
    // A machine of its own for dpkg, where nothing that runt depends on is installed.
    const machine = join(dir, "machine");
    mkdirSync(join(machine, "var/lib/dpkg/updates"), { recursive: true });
    for (const name of ["status", "available"]) writeFileSync(join(machine, "var/lib/dpkg", name), "");
    mkdirSync(join(machine, "var/lib/dpkg/info"));
    const dpkg = (...argv: string[]) =>
      run("dpkg", `--root=${machine}`, "--force-not-root", "--log=/dev/null", ...argv);
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
    const archive = makeNpm(standIn(dir));
    const files = run("tar", "-tzf", archive).trim().split("\n");
    const pages = commands.filter(({ command }) => command !== undefined).map(({ name }) => `runt-${name}.8`);
    for (const file of ["package.json", "bin/runt", "README.md", "LICENSE", "THIRD_PARTY", "docs/engines.md"])
      assert.ok(files.includes(`package/${file}`), file);
    for (const page of pages) assert.ok(files.includes(`package/share/man/man8/${page}`), page);
    assert.not.ok(files.some((file) => /\.ts$|node_modules/.test(file)));
    const prefix = join(dir, "prefix");
    run("npm", "install", "--silent", "--offline", "--global", "--prefix", prefix, archive);
    assert.is(run(join(prefix, "bin/runt"), "y"), "stand-in y\n");
    assert.ok(existsSync(join(prefix, "share/man/man8/runt.8")));
    const said = run("tar", "-xzOf", archive, "package/THIRD_PARTY");
    assert.match(said, /^notices of a stand-in\n[\s\S]*GNU LESSER GENERAL PUBLIC LICENSE/);
    const other = targetNamed(target.cpu === "x64" ? "linux-arm64" : "linux-x64");
    const foreign = makeNpm(standIn(dir, other));
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
    const deb = makeDeb({ ...standIn(dir), executable: built, compression: "none" });
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

packaging(
  "the notices of this build name all that is in it, in the words of its authors",
  () => {
    const program = readFileSync(programOf(built), "utf8");
    const modules = modulesIn(program);
    for (const name of ["yargs", "yargs-parser", "cliui"]) assert.ok(modules.includes(name), name);
    const text = notices(ownTarget(), program);
    for (const name of [...modules, "QuickJS 20", "libseccomp 2", "libc.a of glibc 2", "libgcc.a of gcc"])
      assert.match(text, `\n  * ${name}`);
    for (const words of [
      "Fabrice Bellard", // QuickJS
      "Paul Moore", // libseccomp
      "GNU C Library",
      "GCC RUNTIME LIBRARY EXCEPTION",
      "James Halliday", // yargs
    ])
      assert.match(text, words);
  },
  "built",
);

packaging("the modules in a bundle are found by what is above them", () => {
  const program = `// cmd/main.ts
// node_modules/one/index.js
// ../elsewhere/node_modules/one/lib/other.mjs
// node_modules/@scope/two/index.js
// node_modules/one/node_modules/three/index.js
text("// node_modules/four/index.js");
`;
  assert.equal(modulesIn(program), ["@scope/two", "one", "one/node_modules/three"]);
});

packages.run();
