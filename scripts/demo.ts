// `npm run demo`: a container with no image. Its root file system is the machine's own /usr, read-only, with
// tmpfs around it; a shell in it shows what a container sees.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

const runtime = process.env.RUNT ?? join(import.meta.dirname, "../dist/runt");
const megabytes = 64;
const pids = 20;

const script = `
show() { printf '%-14s %s\\n' "$@"; }
show "host name" "$(hostname)"
# Without a subshell, which would be in sight as well.
printf '%-14s' "processes"
for p in /proc/[0-9]*; do read -r name < $p/comm; printf ' %s' "\${p#/proc/} ($name)"; done
echo
show "user" "$(id)"
show "network" "$(ls /sys/class/net)"
show "may write to" "/tmp $(test -w /tmp && echo yes), /usr $(touch /usr/x 2>/dev/null && echo yes || echo no)"
# The last component of a v1 path, and the files of the hierarchy mounted in the container.
c=/sys/fs/cgroup
if [ -d $c/memory ]; then
  memory=$(cat $c/memory/memory.limit_in_bytes)
  cpu="$(cat $c/cpu/cpu.cfs_quota_us) $(cat $c/cpu/cpu.cfs_period_us)"
  pids=$(cat $c/pids/pids.max)
else
  memory=$(cat $c/memory.max)
  cpu=$(cat $c/cpu.max)
  pids=$(cat $c/pids.max)
fi
show "memory limit" "$((memory / 1048576)) MiB"
show "cpu limit" "\${cpu% *} of every \${cpu#* } microseconds"
show "pids limit" "$pids processes"
echo
echo "mounts"
while read -r line; do
  type=\${line#* - }
  set -- $line
  printf '  %-24s %-8s %s\\n' "$5" "\${type%% *}" "$6"
done < /proc/self/mountinfo
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

if (process.geteuid?.() !== 0) {
  console.log("The demonstration needs root: it makes namespaces, mounts and cgroups.");
  process.exit(1);
}
const dir = mkdtempSync(join(tmpdir(), "runt-demo-"));
try {
  const bundle = join(dir, "bundle");
  writeBundle(bundle);
  const args = ["--root", join(dir, "state"), "run", "--bundle", bundle, `demo-${process.pid}`];
  console.log(`A container with the /usr of this machine (${hostname()}), read-only, and nothing else of it.
Its configuration is what "runt spec" writes, with limits. This is what a shell in it sees:

$ ${runtime} ${args.join(" ")}
`);
  const { status } = spawnSync(runtime, args, { stdio: "inherit" });
  console.log(
    `\nIt ended with status ${status}, and nothing of it is left. README.md says how to make one by hand.`,
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
