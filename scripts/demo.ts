// `npm run demo`: a container with no image. Its root file system is the machine's own /usr, read-only, with
// tmpfs around it; a shell in it shows what a container sees.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const runtime = process.env.RUNT ?? join(import.meta.dirname, "../dist/runt");
const megabytes = 64;
const pids = 20;

const script = `
echo "host name      $(hostname)"
echo "process id     $$ ($(cat /proc/$$/comm)), with $(ls -d /proc/[0-9]* | wc -l) processes in sight"
echo "user           $(id)"
echo "network        $(ls /sys/class/net | tr '\\n' ' ')"
echo "may write to   /tmp $(test -w /tmp && echo yes), /usr $(touch /usr/x 2>/dev/null && echo yes || echo no)"
# The last component of a v1 path, and the files of the hierarchy mounted in the container.
c=/sys/fs/cgroup
if [ -d $c/memory ]; then
  echo "memory limit   $(cat $c/memory/memory.limit_in_bytes) bytes"
  echo "cpu limit      $(cat $c/cpu/cpu.cfs_quota_us) of $(cat $c/cpu/cpu.cfs_period_us) microseconds"
  echo "pids limit     $(cat $c/pids/pids.max)"
else
  echo "memory limit   $(cat $c/memory.max) bytes"
  echo "cpu limit      $(cat $c/cpu.max) microseconds"
  echo "pids limit     $(cat $c/pids.max)"
fi
echo "mounts"
while read -r _ _ _ root at flags _; do echo "  $at  $flags"; done < /proc/self/mountinfo
`;

/** The configuration that the runtime itself proposes, with our root, limits and process. */
function writeBundle(bundle: string): void {
  const rootfs = join(bundle, "rootfs");
  for (const dir of ["usr", "proc", "sys", "dev", "tmp", "etc"])
    mkdirSync(join(rootfs, dir), { recursive: true });
  for (const link of ["bin", "sbin", "lib", "lib64"])
    if (existsSync(`/usr/${link}`)) symlinkSync(`usr/${link}`, join(rootfs, link));
  writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0:root:/tmp:/bin/sh\n");
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\n");
  execFileSync(runtime, ["spec", "--bundle", bundle]);
  const file = join(bundle, "config.json");
  const spec = JSON.parse(execFileSync("cat", [file], { encoding: "utf8" })) as {
    process: { terminal: boolean; args: string[] };
    hostname: string;
    mounts: object[];
    linux: { resources: object; namespaces: object[] };
  };
  Object.assign(spec.process, { terminal: false, args: ["sh", "-c", script] });
  spec.hostname = "demo";
  spec.mounts.push(
    { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro", "nosuid", "nodev"] },
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "size=16m"] },
  );
  Object.assign(spec.linux.resources, {
    memory: { limit: megabytes * 1024 * 1024 },
    cpu: { quota: 50000, period: 100000 },
    pids: { limit: pids },
  });
  writeFileSync(file, JSON.stringify(spec, null, 2));
}

const dir = mkdtempSync(join(tmpdir(), "runt-demo-"));
try {
  const bundle = join(dir, "bundle");
  writeBundle(bundle);
  const args = ["--root", join(dir, "state"), "run", "--bundle", bundle, `demo-${process.pid}`];
  console.log(`$ ${runtime} ${args.join(" ")}\n`);
  const { status } = spawnSync(runtime, args, { stdio: "inherit" });
  console.log(`\nexit status ${status}`);
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
