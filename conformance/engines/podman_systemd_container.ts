// systemd, of this machine's own /usr, as the first process of a container.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { type Cli, inspect } from "./cli.ts";
import type { EngineSuite } from "./engine.ts";

/** Adds the test. */
export function systemdTest(podman: EngineSuite<Cli>): void {
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
}

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
export async function processes(p: Cli, name: string, commandLine: string): Promise<number> {
  const lines = (await p.says("top", name, "args")).split("\n");
  return lines.filter((line) => line.trim() === commandLine).length;
}

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
