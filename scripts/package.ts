// `npm run package [-- TARGET…]`: builds for this machine, or for these targets (targets.ts), and puts packages into
// dist/packages: one for npm, and for a Debian machine a .deb by Debian's own tool.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, programOf } from "./build.ts";
import { lesserLicence, notices } from "./notices.ts";
import { ownTarget, packageVersion, type Target, targetNamed } from "./targets.ts";

const root = join(import.meta.dirname, "..");
const program = "runt";
const maintainer = "The runt maintainers <maintainers@runt.invalid>";
const description = "OCI container runtime, a drop-in for runc";
const documents = ["README.md", "SECURITY.md", "docs"];

export type Packaging = {
  readonly target: Target;
  readonly executable: string;
  /** What others wrote of it (notices.ts). */
  readonly notices: string;
  /** Where the package goes. */
  readonly to: string;
  /** Of the .deb; `none` is quick. */
  readonly compression?: "xz" | "none";
};

/** Below `<dir>/<prefix>`, what scripts/install.sh installs. */
function install(dir: string, prefix: string, executable: string): void {
  const env = { ...process.env, DESTDIR: dir, PREFIX: prefix, EXECUTABLE: executable, BUN: process.execPath };
  execFileSync("sh", [join(root, "scripts/install.sh")], { env, stdio: ["ignore", "ignore", "inherit"] });
}

/** Makes a file with a scratch directory at hand. */
function inScratch<T>(make: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "package-"));
  try {
    return make(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Returns the path of the .deb. */
export function makeDeb({ target, executable, notices, to, compression = "xz" }: Packaging): string {
  const architecture = target.debian;
  return inScratch((dir) => {
    install(dir, "/usr", executable);
    const share = join(dir, "usr/share");
    mkdirSync(join(share, "zsh/vendor-completions"));
    renameSync(join(share, "zsh/site-functions/_runt"), join(share, "zsh/vendor-completions/_runt"));
    rmSync(join(share, "zsh/site-functions"), { recursive: true });
    const man = join(share, "man/man8");
    for (const page of readdirSync(man)) {
      writeFileSync(join(man, `${page}.gz`), gzipSync(readFileSync(join(man, page)), { level: 9 }));
      rmSync(join(man, page));
    }
    const doc = join(share, "doc", program);
    mkdirSync(doc, { recursive: true });
    for (const name of documents) cpSync(join(root, name), join(doc, name), { recursive: true });
    writeFileSync(join(doc, "copyright"), notices);
    writeFileSync(join(doc, "changelog.gz"), gzipSync(changelog(), { level: 9 }));
    mkdirSync(join(share, "lintian/overrides"), { recursive: true });
    writeFileSync(join(share, "lintian/overrides", program), overrides);
    mkdirSync(join(dir, "DEBIAN"));
    writeFileSync(join(dir, "DEBIAN/md5sums"), md5sums(dir));
    writeFileSync(join(dir, "DEBIAN/control"), control(architecture, kilobytes(dir)));
    execFileSync("chmod", ["-R", "u=rwX,go=rX", dir]);
    mkdirSync(to, { recursive: true });
    const file = join(to, `${program}_${packageVersion()}_${architecture}.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", dir, file], {
      stdio: "ignore",
    });
    return file;
  });
}

/** For `dpkg --verify`; in the form of md5sum(1). */
function md5sums(dir: string): string {
  const script = "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum";
  return execFileSync("sh", ["-c", script], { cwd: dir, encoding: "utf8" });
}

/** What dpkg calls Installed-Size. */
const kilobytes = (dir: string): number =>
  Number(
    execFileSync("du", ["-k", "-s", "--apparent-size", join(dir, "usr")], { encoding: "utf8" }).split(
      "\t",
    )[0],
  );

/** deb-control(5). The executable needs no library, so the package depends on nothing. */
const control = (architecture: string, size: number): string => `Package: ${program}
Version: ${packageVersion()}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Section: admin
Priority: optional
Description: ${description}
 Runs containers from OCI bundles for containerd, Podman, Docker, CRI-O and
 people. Where an engine is to use it, its configuration has to say so: see
 /usr/share/doc/runt/docs/engines.md.
`;

/** What lintian(1) finds. */
const overrides = `# One static file is what runt is: it is started from a memory that a container cannot reach, and links nothing there.
${program}: statically-linked-binary
`;

/** deb-changelog(5). Its date is that of SOURCE_DATE_EPOCH, when that is set. */
function changelog(): string {
  const { SOURCE_DATE_EPOCH: epoch } = process.env;
  const date = (epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)).toUTCString();
  return `${program} (${packageVersion()}) unstable; urgency=medium

  * Built by "npm run package"; what changed is in the history of the sources.

 -- ${maintainer}  ${date.replace("GMT", "+0000")}
`;
}

/** Returns the path of the archive that `npm install` takes. */
export function makeNpm({ target, executable, notices, to }: Packaging): string {
  return inScratch((dir) => {
    const at = join(dir, "package");
    install(dir, "/package", executable);
    for (const name of [...documents, "LICENSE"])
      cpSync(join(root, name), join(at, name), { recursive: true });
    writeFileSync(join(at, "THIRD_PARTY"), `${notices}\n${lesserLicence()}`);
    const pages = readdirSync(join(at, "share/man/man8")).map((page) => `share/man/man8/${page}`);
    writeFileSync(join(at, "package.json"), JSON.stringify(npmPackage(target, pages), null, 2));
    mkdirSync(to, { recursive: true });
    const argv = ["pack", "--silent", "--pack-destination", to];
    return join(to, execFileSync("npm", argv, { cwd: at, encoding: "utf8" }).trim());
  });
}

/** One package for each target: npm chooses by `os` and `cpu`, and refuses the others. */
const npmPackage = (target: Target, man: readonly string[]) => ({
  name: `${program}-${target.name}`,
  version: packageVersion(),
  description,
  license: "Apache-2.0",
  os: ["linux"],
  cpu: [target.cpu],
  bin: { [program]: "bin/runt" },
  man,
  files: ["bin", "share", "docs", "SECURITY.md", "THIRD_PARTY"],
});

if (import.meta.main) {
  const names = process.argv.slice(2);
  const to = join(root, "dist/packages");
  // Which prints the completions, whatever the target.
  if (!existsSync(join(root, "dist", program))) await build();
  for (const target of names.length > 0 ? names.map(targetNamed) : [ownTarget()]) {
    const executable = await build(target === ownTarget() ? {} : { target: target.name });
    const contained = notices(target, readFileSync(programOf(executable), "utf8"));
    const packaging = { target, executable, notices: contained, to };
    console.log(makeDeb(packaging));
    console.log(makeNpm(packaging));
  }
}
