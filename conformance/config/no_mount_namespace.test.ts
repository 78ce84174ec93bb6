// A container without a mount namespace of its own: what it mounts is mounted on the host, below its root file system
// and nowhere else, and is gone with the container. Each test has a mount namespace of its own for a host, whose "/" is
// shared, as systemd makes it.
import { chmodSync, lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { faultsPath, runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";
import { withoutMountApi } from "./table.ts";

const suite = conformance("no mount namespace");

const without = (spec: Spec): void => {
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "mount");
  spec.linux.maskedPaths = [];
  spec.linux.readonlyPaths = [];
};

/** Runs commands on that host, "$@" being the runtime, and what its mounts are before and after. */
async function onHost(c: Fixture, script: string, faults?: string): Promise<Result> {
  const around = `mount --make-rshared / || exit 9
    cat /proc/self/mountinfo >${c.dir}/before
    ( ${script} )
    status=$?
    cat /proc/self/mountinfo >${c.dir}/after
    diff ${c.dir}/before ${c.dir}/after || exit 10
    exit $status`;
  const command = [faults === undefined ? runtimePath : faultsPath, "--root", c.root];
  const env = { ...(process.env as Record<string, string>), ...(faults && { RUNT_FAULT: faults }) };
  return runCommand(["unshare", "-m", "--propagation", "private", "sh", "-c", around, "sh", ...command], {
    env,
  });
}

const run = (c: Fixture): string => `"$@" run --bundle ${c.bundle} ${c.id}`;

const host = { needs: ["unshare", "mount"], runcFails: "runc leaves its mounts behind" } as const;

for (const [title, faults] of [["the new mount API", undefined], ...withoutMountApi] as const)
  suite(
    `mounts are made, in the runtime's namespace, and are gone in the end [${title}]`,
    async (c) => {
      c.configure((spec) => {
        without(spec);
        shell(
          spec,
          "readlink /proc/self/ns/mnt; ls /probe.sh /dev/null /dev/pts/ptmx; touch /new || echo read-only",
        );
      });
      const { stdout } = succeed(await onHost(c, `readlink /proc/self/ns/mnt; ${run(c)}`, faults));
      const [hosts, own, ...rest] = stdout.trim().split("\n");
      assert.is(own, hosts);
      assert.equal(rest, ["/dev/null", "/dev/pts/ptmx", "/probe.sh", "read-only"].sort(byLs));
    },
    { ...host, needs: [...host.needs, ...(faults === undefined ? [] : (["faults"] as const))] },
  );

/** ls says the paths in this order, and the shell the last word. */
function byLs(a: string, b: string): number {
  const rank = (text: string): string => (text === "read-only" ? "~" : text);
  return rank(a) < rank(b) ? -1 : 1;
}

suite(
  "they are there for the host, private, until delete, and exec is in the same root",
  async (c) => {
    c.configure((spec) => {
      without(spec);
      spec.process.args = ["sleep", "1000"];
    });
    const script = `"$@" create --bundle ${c.bundle} ${c.id} </dev/null >/dev/null 2>&1 || exit 3
      grep ' ${c.rootfs}' /proc/self/mountinfo | cut -d' ' -f5,7-
      "$@" exec ${c.id} sh -c 'ls /probe.sh; cd ..; pwd; ls /proc/self/fd | wc -l'
      "$@" delete --force ${c.id}`;
    const lines = succeed(await onHost(c, script)).stdout.split("\n");
    const mounts = lines.filter((line) => line.startsWith(c.rootfs));
    assert.ok(mounts.some((line) => line.startsWith(`${c.rootfs} `)));
    assert.ok(mounts.some((line) => line.startsWith(`${c.rootfs}/proc `)));
    for (const line of mounts) assert.match(line, /^\S+ (master:\d+ )?- /);
    assert.equal(lines.slice(mounts.length), ["/probe.sh", "/", "4", ""]);
  },
  host,
);

for (const [title, destination] of [
  ["a mount on the root as well", "/"],
  ["and one that shows it all again", "/mnt"],
] as const)
  suite(
    title,
    async (c) => {
      c.configure((spec) => {
        without(spec);
        spec.mounts.unshift({ destination, type: "bind", source: c.rootfs, options: ["rbind"] });
        shell(spec, "ls /probe.sh /dev/null");
      });
      assert.is(succeed(await onHost(c, run(c))).stdout, "/dev/null\n/probe.sh\n");
    },
    host,
  );

suite(
  "a container that fails leaves nothing",
  async (c) => {
    c.configure((spec) => {
      without(spec);
      spec.process.args = ["nothing of this name"];
    });
    refuse(await onHost(c, run(c)), "executable file not found in $PATH");
  },
  host,
);

suite(
  "nor does one whose runtime is killed, once it is deleted",
  async (c) => {
    const hook = join(c.dir, "hook");
    writeFileSync(
      hook,
      `#!/bin/sh\ngrep -c ' ${c.rootfs}' /proc/self/mountinfo >${c.dir}/seen\nkill -KILL $PPID\n`,
    );
    chmodSync(hook, 0o755);
    c.configure((spec) => {
      without(spec);
      spec.hooks = { createRuntime: [{ path: hook }] };
    });
    const script = `${run(c)}; test "$(cat ${c.dir}/seen)" -gt 5 || exit 4; "$@" delete --force ${c.id}`;
    succeed(await onHost(c, script));
  },
  host,
);

suite(
  "where there is nothing to be mounted, nothing is, and the caller's umask stays",
  async (c) => {
    c.configure((spec) => {
      without(spec);
      spec.mounts = [];
      spec.root.readonly = false;
      spec.process.cwd = "/made/here";
      shell(spec, "test -f /probe.sh && pwd && umask");
    });
    const script = `umask 027; ${run(c)}`;
    assert.is(succeed(await onHost(c, script)).stdout, "/made/here\n0027\n");
    assert.ok(lstatSync(join(c.rootfs, "dev/null")).isCharacterDevice());
  },
  { ...host, runcFails: "runc makes the root a mount all the same" },
);

suite(
  "a terminal",
  async (c) => {
    c.configure((spec) => {
      without(spec);
      spec.process.terminal = true;
      shell(spec, "tty; test -c /dev/console && echo console");
    });
    assert.match(succeed(await onHost(c, run(c))).stdout, /^\/dev\/(pts\/0|console)\r?\nconsole\r?\n$/);
  },
  host,
);

suite(
  "in a user namespace it is refused, and runs without mounts",
  async (c) => {
    const maps = [{ containerID: 0, hostID: 0, size: 65536 }];
    const configure = (mounts: Spec["mounts"]): void =>
      c.configure((spec) => {
        without(spec);
        spec.linux.namespaces.push({ type: "user" });
        Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
        spec.mounts = mounts;
        spec.root.readonly = false;
        shell(spec, "ls /probe.sh");
      });
    configure([{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]);
    refuse(await onHost(c, run(c)), "mounts: not possible in a user namespace without a mount namespace");
    configure([]);
    assert.is(succeed(await onHost(c, run(c))).stdout, "/probe.sh\n");
  },
  { ...host, runcFails: "runc mounts in any case" },
);

suite.run();
