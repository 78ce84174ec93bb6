// Builds for other machines, each made to run: for arm64 by emulation of a process, for musl with its C library.
// Bun's executables for them come from npm, once, and stay in dist/bun.
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { arm64Root, findCommand, muslLibrary, type Need } from "../needs.ts";
import { shell } from "../spec.ts";

const targets = conformance("targets");
const top = new URL("../..", import.meta.url).pathname;

/** Adds a test that gets the executable for a target. */
function target(
  title: string,
  name: string,
  all: readonly Need[],
  body: (c: Fixture, executable: string) => Promise<void>,
): void {
  targets(
    `${name}: ${title}`,
    async (c) => {
      const build = [process.execPath, "run", join(top, "scripts/build.ts"), "--target", name];
      succeed(await runCommand(build, { timeoutSeconds: 200 }));
      await body(c, join(top, "dist", name, "runt"));
    },
    { needs: [...all, "npm registry", "built"] },
  );
}

/** What every build must do; `runs` is the command line that runs it, and `dir` a directory as it sees it. */
async function smoke(runs: readonly string[], dir: string, seen: string): Promise<void> {
  const say = async (...args: string[]): Promise<string> =>
    succeed(await runCommand([...runs, ...args], { timeoutSeconds: 120 })).stdout;
  assert.match(await say("--version"), /^runt version \d/);
  const features = JSON.parse(await say("features")) as { linux: { namespaces: string[] } };
  assert.ok(features.linux.namespaces.includes("user"));
  await say("spec", "--bundle", seen);
  const spec = JSON.parse(readFileSync(join(dir, "config.json"), "utf8")) as { process: { args: string[] } };
  assert.equal(spec.process.args, ["sh"]);
  const nobody = await runCommand([...runs, "--root", seen, "state", "nobody"], { timeoutSeconds: 120 });
  assert.match(nobody.stderr, "container does not exist");
  assert.is(nobody.status, 1);
}

// `create`, `run` and `exec` start themselves again by execveat(2), which qemu-user does not have.
target(
  "starts, and makes system calls by the machine's own numbers",
  "linux-arm64",
  ["qemu-aarch64-static", "libc6-arm64-cross"],
  async (c, executable) => {
    mkdirSync(join(c.dir, "spec"));
    const emulated = ["qemu-aarch64-static", "-L", arm64Root, executable];
    await smoke(emulated, join(c.dir, "spec"), join(c.dir, "spec"));
  },
);

/**
 * Bun needs a C++ library besides, and Debian has none for musl: glibc's, with the few functions that it wants of
 * glibc, in a file named as the last library that it asks for.
 */
const glibcOnly = `
#include <stddef.h>
char __libc_single_threaded = 1;
struct { unsigned int words[4]; } __cpu_model;
int __cpu_indicator_init(void) { return 0; }
int _dl_find_object(void *address, void *result) { return -1; } /* the unwinder then asks dl_iterate_phdr(3) */
int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library) { return 0; }
extern long getrandom(void *, size_t, unsigned int);
unsigned int arc4random(void) { unsigned int value; getrandom(&value, sizeof value, 0); return value; }
extern size_t strftime_l(char *, size_t, const char *, const void *, void *);
size_t __strftime_l(char *to, size_t size, const char *format, const void *tm, void *locale) {
  return strftime_l(to, size, format, tm, locale);
}
`;

/** A root file system with musl, the executable and busybox. */
async function muslRoot(c: Fixture, executable: string): Promise<string> {
  const root = join(c.dir, "musl");
  for (const dir of ["lib", "proc", "sys", "dev", "tmp", "old"])
    mkdirSync(join(root, dir), { recursive: true });
  const lib = (name: string): string => join(root, "lib", name);
  copyFileSync(muslLibrary, lib("ld-musl-x86_64.so.1"));
  symlinkSync("ld-musl-x86_64.so.1", lib("libc.musl-x86_64.so.1"));
  for (const name of ["libstdc++.so.6", "libgcc_s.so.1"])
    copyFileSync(join("/usr/lib/x86_64-linux-gnu", name), lib(name));
  const source = join(c.dir, "glibc_only.c");
  writeFileSync(source, glibcOnly);
  const flags = ["-shared", "-fPIC", "-nostdlib", "-fno-stack-protector"];
  succeed(await runCommand(["cc", ...flags, "-o", lib("ld-linux-x86-64.so.2"), source]));
  copyFileSync(executable, join(root, "runt"));
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

target(
  "starts, and runs a container",
  "linux-x64-musl",
  ["musl", "cc", "unshare", "mount"],
  async (c, executable) => {
    const root = await muslRoot(c, executable);
    const entering = ["unshare", "-m", "sh", "-ec", inRoot, "sh", root];
    await smoke([...entering, "/runt"], join(root, "tmp"), "/tmp");
    c.configure((spec) => {
      spec.root.path = "/bundle/rootfs";
      shell(spec, "echo in a container; id -u");
    });
    succeed(await runCommand(["mv", c.bundle, join(root, "bundle")]));
    const argv = ["/runt", "--root", "/tmp/state", "run", "--bundle", "/bundle", c.id];
    assert.is(succeed(await runCommand([...entering, ...argv])).stdout, "in a container\n0\n");
    mkdirSync(c.bundle); // where the fixture expects it
  },
);

targets.run();
