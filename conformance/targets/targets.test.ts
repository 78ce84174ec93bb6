// Other machines: the build for arm64, by emulation of a process, and the build for this one where no C library but
// musl is installed, or none at all.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { findCommand, muslLibrary, runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const targets = conformance("targets");
const top = new URL("../..", import.meta.url).pathname;

/** What every build must do; `runs` is the command line that runs it, and `dir` a directory as it sees it. */
async function smoke(runs: readonly string[], dir: string, seen: string): Promise<void> {
  const say = async (...args: string[]): Promise<string> =>
    succeed(await runCommand([...runs, ...args], { timeoutSeconds: 120 })).stdout;
  assert.match(await say("--version"), /^runt version \d/);
  assert.match(await say("--help"), "create");
  const features = JSON.parse(await say("features")) as { linux: { namespaces: string[] } };
  assert.ok(features.linux.namespaces.includes("user"));
  await say("spec", "--bundle", seen);
  const spec = JSON.parse(readFileSync(join(dir, "config.json"), "utf8")) as { process: { args: string[] } };
  assert.equal(spec.process.args, ["sh"]);
  const nobody = await runCommand([...runs, "--root", seen, "state", "nobody"], { timeoutSeconds: 120 });
  assert.match(nobody.stderr, "container does not exist");
  assert.is(nobody.status, 1);
}

const sysroot = join(top, "dist/sysroot/arm64");

// `create`, `run` and `exec` start themselves again by execveat(2), which qemu-user does not have.
targets(
  "linux-arm64: one static file, which makes system calls by the machine's own numbers",
  async (c) => {
    const build = [process.execPath, "run", join(top, "scripts/build.ts"), "--target", "linux-arm64"];
    succeed(await runCommand(build, { timeoutSeconds: 200 }));
    const executable = join(top, "dist/linux-arm64/runt");
    const env = { ...process.env, LC_ALL: "C" };
    const segments = execFileSync("readelf", ["--wide", "--segments", executable], { encoding: "utf8", env });
    assert.match(segments, /^Elf file type is EXEC /m);
    assert.not.match(segments, /\b(INTERP|DYNAMIC)\b/);
    // Pages of 64 KiB, which some kernels have: no two segments of different permissions share one.
    const loaded = [...segments.matchAll(/^ +LOAD .* (0x\w+)$/gm)].map(([, alignment]) => alignment);
    assert.ok(loaded.length >= 4);
    for (const alignment of loaded) assert.is(alignment, "0x10000");
    mkdirSync(join(c.dir, "spec"));
    await smoke(["qemu-aarch64-static", executable], join(c.dir, "spec"), join(c.dir, "spec"));
  },
  {
    needs: ["qemu-aarch64-static", "aarch64-linux-gnu-gcc", "built"],
    lacks: existsSync(sysroot) ? undefined : `there is no ${sysroot}: npm run setup -- arm64`,
  },
);

/** A root file system with the executable and busybox, both static, and nothing else. */
function bareRoot(c: Fixture): string {
  const root = join(c.dir, "bare");
  for (const dir of ["lib", "proc", "sys", "dev", "tmp", "old"])
    mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(runtimePath, join(root, "runt"));
  copyFileSync(findCommand("busybox") ?? "", join(root, "busybox"));
  return root;
}

/** Runs the command in that root, as the root of a mount namespace. */
const inRoot = `
mount --make-rprivate /
mount --bind "$1" "$1"
for each in proc sys dev; do mount --rbind /$each "$1/$each"; done
cd "$1"
pivot_root . old
shift
/busybox umount -l /old
cd /
exec "$@"
`;

/** That it starts in this root, and runs a container whose file system has what the root has. */
async function worksIn(c: Fixture, root: string, command: string, said: string): Promise<void> {
  const entering = ["unshare", "-m", "sh", "-ec", inRoot, "sh", root];
  await smoke([...entering, "/runt"], join(root, "tmp"), "/tmp");
  c.configure((spec) => {
    spec.root.path = "/bundle/rootfs";
    shell(spec, command);
  });
  succeed(await runCommand(["cp", "-a", join(root, "lib"), c.rootfs]));
  succeed(await runCommand(["mv", c.bundle, join(root, "bundle")]));
  const argv = ["/runt", "--root", "/tmp/state", "run", "--bundle", "/bundle", c.id];
  assert.is(succeed(await runCommand([...entering, ...argv])).stdout, said);
  mkdirSync(c.bundle); // where the fixture expects it
}

targets(
  "no C library at all: starts, and runs a container",
  async (c) => {
    await worksIn(c, bareRoot(c), "echo in a container; id -u", "in a container\n0\n");
  },
  { needs: ["root", "busybox", "unshare", "mount", "built"] },
);

targets(
  "no C library but musl, as on Alpine: starts, and runs a container of musl's programs",
  async (c) => {
    const root = bareRoot(c);
    copyFileSync(muslLibrary, join(root, "lib/ld-musl-x86_64.so.1"));
    symlinkSync("ld-musl-x86_64.so.1", join(root, "lib/libc.musl-x86_64.so.1"));
    await worksIn(c, root, "/lib/ld-musl-x86_64.so.1 2>&1 | head -n 1", "musl libc (x86_64)\n");
  },
  { needs: ["root", "musl", "busybox", "unshare", "mount", "built"] },
);

targets.run();
