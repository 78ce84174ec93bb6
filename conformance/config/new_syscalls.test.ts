// System calls that an old kernel has not, or that the filter of an old engine around the runtime refuses: each of them in
// turn, with ENOSYS and with EPERM. A life goes on as ever, by something that is as safe.
import "../bun_host.ts";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ENOSYS, EPERM } from "../../syscalls/constants/errno.ts";
import type { SyscallName } from "../../syscalls/numbers.ts";
import { eventually, runCommand, startCommand } from "../command.ts";
import { withoutCall } from "../filtered.ts";
import { type CaseOptions, conformance, type Fixture, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { faultsPath, runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

const newSyscalls = conformance("new system calls");

/** With the Linux that it came with, but for what is nothing without another of them. */
const calls: Partial<Record<SyscallName, string>> = {
  statx: "4.11, which younger filters know",
  memfd_create: "3.17, which younger filters know",
  execveat: "3.19, which younger filters know",
  signalfd4: "2.6.27, which younger filters know",
  pidfd_send_signal: "5.1",
  open_tree: "5.2",
  move_mount: "5.2",
  fsopen: "5.2",
  fsconfig: "5.2",
  fsmount: "5.2",
  clone3: "5.3",
  pidfd_open: "5.3",
  openat2: "5.6",
  pidfd_getfd: "5.6",
  faccessat2: "5.8",
  close_range: "5.9",
  mount_setattr: "5.12",
};

const errnos = { ENOSYS, EPERM };

/** The command line without this call. */
const without = (call: SyscallName, errno: keyof typeof errnos, command: readonly string[]): string[] =>
  withoutCall(call, errnos[errno], command);

const runt = (c: Fixture, args: readonly string[]): string[] => [runtimePath, "--root", c.root, ...args];

/** In a user namespace everything is reached in other ways. */
function inUserNamespace(spec: Spec): void {
  spec.linux.namespaces.push({ type: "user" });
  const mappings = [{ containerID: 0, hostID: 0, size: 65536 }];
  Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
}

/** What cannot be with runc, whose standard library asks for it. */
const ofRunc = (call: string, errno: string): CaseOptions =>
  call === "clone3" && errno === "EPERM" ? { runcFails: "it does without clone3 on ENOSYS only" } : {};

/** One command after the other, and what the first to fail has said; their streams are the container's too. */
const script = `
root=$1 bundle=$2 id=$3 runt=$4
try() { "$runt" --root "$root" "$@" </dev/null >/dev/null 2>"$bundle/said" || { cat "$bundle/said"; exit 1; }; }
try create --bundle "$bundle" "$id"; try start "$id"; try exec "$id" true; try ps "$id"
try pause "$id"; try resume "$id"; try delete --force "$id"
try run --detach --bundle "$bundle" "$id"; try kill "$id" KILL`;

for (const call of Object.keys(calls) as SyscallName[])
  for (const errno of ["ENOSYS", "EPERM"] as const) {
    for (const user of [false, true])
      newSyscalls(
        `${call} [${errno}]: a life goes on${user ? ", in a user namespace too" : ""}`,
        async (c) => {
          c.configure((spec) => {
            shell(spec, "exec sleep 60");
            if (user) inUserNamespace(spec);
          });
          const words = ["/bin/sh", "-c", script, "sh", c.root, c.bundle, c.id, runtimePath];
          succeed(await runCommand(without(call, errno, words)));
          assert.ok(await eventually(async () => (await c.state()).status === "stopped"));
        },
        ofRunc(call, errno),
      );

    newSyscalls(
      `${call} [${errno}]: signals reach a program in the foreground, and its output arrives`,
      async (c) => {
        const trap = "trap 'echo end; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
        c.configure((spec) => shell(spec, trap));
        const out = join(c.dir, "out");
        for (const args of [
          ["run", "--bundle", c.bundle, c.id],
          ["exec", c.id, "sh", "-c", trap],
        ]) {
          if (args[0] === "exec") succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
          writeFileSync(out, "");
          const { pid, done } = startCommand(without(call, errno, runt(c, args)), { stdout: out });
          assert.ok(await eventually(() => readFileSync(out, "utf8") === "ready\n", 10));
          process.kill(pid, "SIGTERM");
          const { status, stderr } = await done;
          assert.is(status, 7, `${args[0]}: ${stderr}`);
          assert.is(readFileSync(out, "utf8"), "ready\nend\n");
        }
      },
      ofRunc(call, errno),
    );
  }

for (const call of ["open_tree", "move_mount", "fsopen", "fsconfig", "fsmount"] as const)
  newSyscalls(`${call} [EPERM]: a bind mount is read-only with all below it`, async (c) => {
    const source = join(c.dir, "source");
    mkdirSync(source);
    c.configure((spec) => {
      spec.mounts.push({ destination: "/mnt", type: "bind", source, options: ["rbind", "rro"] });
      shell(spec, "touch /mnt/file; grep -c ' /mnt ro,' /proc/self/mountinfo");
    });
    const command = runt(c, ["run", "--bundle", c.bundle, c.id]);
    const { stdout, stderr } = succeed(await runCommand(without(call, "EPERM", command)));
    assert.is(stdout, "1\n");
    assert.match(stderr, "Read-only file system");
  });

newSyscalls(
  "close_range [ENOSYS]: not every number that a descriptor may have is asked for",
  async (c) => {
    const file = join(c.dir, "trace");
    const command = runt(c, ["--trace", file, "run", "--bundle", c.bundle, c.id]);
    succeed(await runCommand(without("close_range", "ENOSYS", command)));
    const asked = readFileSync(file, "utf8").match(/ppoll\(/g) ?? [];
    // By 1,024 at a time all of them would be 1,024 calls.
    assert.ok(asked.length < 100, `${asked.length}`);
  },
  { runcFails: "it has no --trace" },
);

for (const errno of ["ENOSYS", "EPERM"] as const)
  newSyscalls(
    `signalfd4 [${errno}]: a signal ends a created container`,
    async (c) => {
      const create = without("signalfd4", errno, runt(c, ["create", "--bundle", c.bundle, c.id]));
      succeed(await runCommand(["sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh", ...create]));
      const { pid } = await c.state();
      succeed(await c.runt(["kill", c.id, "TERM"]));
      assert.ok(await eventually(() => !isAlive(pid)));
    },
    { runcFails: "the init process of a created container is deaf to SIGTERM" },
  );

newSyscalls(
  "no memfd and no mounts to seal by: the program runs from a file without a name",
  async (c) => {
    c.configure((spec) => shell(spec, "echo fine"));
    const faults = "memfd_create:*:EPERM,fsopen:*:EPERM,open_tree:*:EPERM,move_mount:*:EPERM";
    const env = { ...(process.env as Record<string, string>), RUNT_FAULT: faults };
    const command = [faultsPath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
    assert.is(succeed(await runCommand(command, { env })).stdout, "fine\n");
  },
  { needs: ["faults"] },
);

for (const user of [false, true])
  newSyscalls(
    `exec where setns takes no pidfd, as before Linux 5.8${user ? " [user namespace]" : ""}`,
    async (c) => {
      c.configure((spec) => {
        shell(spec, "exec sleep 60");
        if (user) inUserNamespace(spec);
        for (const type of ["cgroup", "time"]) spec.linux.namespaces.push({ type });
      });
      succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
      const env = { ...(process.env as Record<string, string>), RUNT_FAULT: "setns:1:EINVAL" };
      const script = "for ns in mnt uts ipc net cgroup user pid time; do readlink /proc/$$/ns/$ns; done";
      const ofInit = script.replaceAll("$$", "1");
      const command = [faultsPath, "--root", c.root, "exec", c.id, "sh", "-c"];
      const { stdout } = succeed(await runCommand([...command, script], { env }));
      assert.is(stdout, succeed(await c.runt(["exec", c.id, "sh", "-c", ofInit])).stdout);
      assert.is(stdout.split("\n").length, 9);
    },
    { needs: ["faults"] },
  );

newSyscalls.run();
