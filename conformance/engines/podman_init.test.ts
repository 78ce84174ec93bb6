// Containers with an init and many processes, under Podman as root: systemd, of this machine's own /usr, and busybox.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { type Cli, inspect, withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

const podman = engineSuite("podman: init", podmanNeeds, startPodman);

/** A root file system around /usr, with one service that has children. */
function systemdRoot(p: Cli): string {
  const root = join(p.host.dir, "systemd");
  const units = join(root, "etc/systemd/system");
  mkdirSync(units, { recursive: true });
  for (const dir of ["dev", "proc", "root", "run", "sys", "tmp", "usr", "var"]) mkdirSync(join(root, dir));
  for (const link of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${link}`, join(root, link));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\n");
  writeFileSync(join(root, "etc/machine-id"), "0123456789abcdef0123456789abcdef\n"); // no first boot
  // In a container on cgroup v1, nobody tells systemd that a cgroup has become empty: it waits for that long.
  writeFileSync(join(root, "etc/systemd/system.conf"), "[Manager]\nDefaultTimeoutStopSec=2s\n");
  const start = "/bin/sh -c 'for i in 1 2 3 4 5; do sleep 1234 & done; wait'";
  writeFileSync(join(units, "ours.service"), `[Service]\nExecStart=${start}\n`);
  writeFileSync(join(units, "ours.target"), "[Unit]\nWants=ours.service systemd-journald.service\n");
  return root;
}

/** How many processes of the container have this command line. */
async function processes(p: Cli, name: string, commandLine: string): Promise<number> {
  const lines = (await p.says("top", name, "args")).split("\n");
  return lines.filter((line) => line.trim() === commandLine).length;
}

podman(
  "systemd: it boots, its service runs in a cgroup of its own, restarts, and the container shuts down",
  async (p) => {
    const argv = [
      "--name",
      "systemd",
      "--network",
      "none",
      "--systemd",
      "always",
      "--volume",
      "/usr:/usr:ro",
    ];
    const root = `${systemdRoot(p)}:O`;
    await p.says("run", "-d", ...argv, "--rootfs", root, "/lib/systemd/systemd", "--unit=ours.target");
    try {
      await booted(p);
    } finally {
      await p.says("rm", "--force", "--time", "0", "systemd");
    }
  },
  { needs: ["systemd files"] },
);

async function booted(p: Cli): Promise<void> {
  const systemctl = (...words: string[]) => p.cli(["exec", "systemd", "systemctl", ...words]);
  const running = async () => (await systemctl("is-system-running")).stdout === "running\n";
  const said = async () => (await p.cli(["logs", "systemd"])).stdout;
  assert.ok(await eventually(running, 60), await said());
  const mainPid = async () => (await systemctl("show", "--property=MainPID", "ours.service")).stdout;
  const first = await mainPid();
  assert.match(first, /^MainPID=[1-9]/);
  const cgroup = "cat /proc/$(systemctl show --value --property=MainPID ours.service)/cgroup";
  assert.match(await p.says("exec", "systemd", "sh", "-c", cgroup), /\/system\.slice\/ours\.service$/m);
  assert.is(await processes(p, "systemd", "sleep 1234"), 5);
  assert.is((await systemctl("restart", "ours.service")).status, 0);
  assert.is.not(await mainPid(), first);
  await p.says("stop", "--time", "60", "systemd"); // by SIGRTMIN+3
  assert.is(await inspect(p, "systemd", "{{.State.ExitCode}}"), "0");
}

const inittab = `
mkdir -p /etc/init.d
cat >/etc/init.d/rcS <<'X'
#!/bin/sh
for i in $(seq 60); do sleep 4321 & done
X
chmod 755 /etc/init.d/rcS
cat >/etc/inittab <<X
::sysinit:/etc/init.d/rcS
::respawn:/bin/sh -c 'exec sleep 1111'
::respawn:/bin/sh -c 'exec sleep 2222'
X
exec /bin/init
`;

podman(
  "busybox init: many processes, some of them started again, and all of them gone at the end",
  async (p) => {
    await withContainer(p, "busy", [], inittab, async () => {
      const count = (commandLine: string) => processes(p, "busy", commandLine);
      assert.ok(await eventually(async () => (await count("sleep 4321")) === 60, 60));
      assert.ok(await eventually(async () => (await count("sleep 1111")) === 1, 60));
      const pid = async () => {
        const { stdout } = await p.cli(["exec", "busy", "ps", "-o", "pid,args"]);
        return /^ *(\d+) sleep 1111$/m.exec(stdout)?.[1] ?? "";
      };
      const first = await pid();
      await p.says("exec", "busy", "kill", "-9", first);
      const again = async () => ![first, ""].includes(await pid());
      assert.ok(await eventually(again, 60));
      await p.says("pause", "busy");
      await p.says("unpause", "busy");
      assert.is(await count("sleep 2222"), 1);
    });
  },
);

podman.run();
