// config.md "Root", config-linux.md "Rootfs Mount Propagation", and --no-pivot.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, startCommand } from "../command.ts";
import { type Fixture, refuse, succeed } from "../harness.ts";
import { faultsPath, findCommand, runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";
import { type Case, tableSuite, withoutMountApi } from "./table.ts";

const ROOT_LINE = "grep ' / / ' /proc/self/mountinfo || grep ' / r' /proc/self/mountinfo";

const propagation = (value: string, line: RegExp, rest: Partial<Case> = {}): Case => ({
  title: `rootfsPropagation is that of the container's root [${value}]`,
  edit: (spec) => {
    spec.linux.rootfsPropagation = value;
  },
  script: ROOT_LINE,
  shows: [line],
  ...rest,
});

const plain = / \/ rw,relatime (master:\d+ )?- /;
const shared = / \/ rw,relatime shared:\d+ - /;
const unbindable = / \/ rw,relatime unbindable - /;
const notSafe = "rootfsPropagation of [r]private is not safe without pivot_root";

/** The host's root shared, in a mount namespace of the test's own. */
const sharedHost = (): string => "mount --make-rshared /";

const suite = tableSuite("config: root", [
  propagation("private", plain),
  propagation("rprivate", plain),
  propagation("slave", plain),
  propagation("rslave", plain),
  propagation("shared", shared),
  propagation("rshared", shared),
  propagation("unbindable", unbindable),
  propagation("runbindable", unbindable),
  ...["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"].map(
    (value): Case => ({
      title: `a host whose mounts are shared sees none of the container's [${value}]`,
      prepare: (c) =>
        `${sharedHost()}; cat /proc/self/mountinfo > ${c.dir}/before; sh -c 'sleep 0.4; cat /proc/self/mountinfo > ${c.dir}/during' &`,
      edit: (spec) => {
        spec.linux.rootfsPropagation = value;
      },
      script: "sleep 0.8",
      after: (c) =>
        assert.equal(
          readFileSync(join(c.dir, "during"), "utf8"),
          readFileSync(join(c.dir, "before"), "utf8"),
        ),
    }),
  ),
  propagation("private", plain, {
    title: "--no-pivot with a private root is refused, as by runc [private]",
    options: ["--no-pivot"],
    refuses: notSafe,
  }),
  propagation("rprivate", plain, {
    title: "--no-pivot with a private root is refused, as by runc [rprivate]",
    options: ["--no-pivot"],
    refuses: notSafe,
  }),
  ...["slave", "shared", "unbindable"].map((value) =>
    propagation(value, value === "shared" ? shared : value === "slave" ? plain : unbindable, {
      title: `--no-pivot with another propagation [${value}]`,
      options: ["--no-pivot"],
      prepare: sharedHost,
    }),
  ),
  propagation("odd", plain, {
    title: "an unknown propagation is refused",
    refuses: /linux.rootfsPropagation: unknown rootfs propagation/,
  }),
  {
    title: "readonly is the root's, not that of what is mounted in it",
    edit: (spec) => {
      spec.root.readonly = true;
      spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs" });
    },
    script: "touch /x 2>/dev/null || touch /mnt/x && echo tmpfs",
    shows: ["tmpfs\n"],
  },
  {
    title: "a root that is not there is named",
    edit: (spec) => {
      spec.root.path = "nowhere";
    },
    refuses: /open \S+\/bundle\/nowhere: ENOENT \(no such file or directory\), asked for by root.path/,
  },
]);

const privileged = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"];

/** The container takes its own root away, and what its mount namespace then begins with is looked at from outside. */
async function whatIsBelow(c: Fixture, runtime: string, env: Record<string, string>): Promise<string> {
  c.configure((spec) => {
    spec.process.capabilities = { bounding: privileged, effective: privileged, permitted: privileged };
    // What unmounts its root has no /proc or /dev after; it stays alive for the look from outside.
    shell(spec, "umount -l /; echo gone; exec sleep 60");
  });
  const out = join(c.dir, "out");
  const pidFile = join(c.dir, "pid");
  const args = ["--root", c.root, "run", "--no-pivot", "--pid-file", pidFile, "--bundle", c.bundle, c.id];
  const running = startCommand([runtime, ...args], {
    stdout: out,
    env: { ...(process.env as Record<string, string>), ...env },
  });
  assert.ok(await eventually(() => readSafely(out).includes("gone")), readSafely(out));
  const pid = readFileSync(pidFile, "utf8");
  // The programs are those of the machine's root, which is what lies below.
  const look = "for d in /proc /sys; do ls -A $d 2>/dev/null | head -n 3; done; echo end";
  const seen = await runCommand([findCommand("nsenter") ?? "", "-t", pid, "-m", "sh", "-c", look]);
  await c.runt(["kill", c.id, "KILL"]);
  await running.done;
  return seen.stdout;
}

function readSafely(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not there yet
  }
}

const below: readonly (readonly [string, string, string | undefined])[] = [
  ["the new mount API", "", undefined],
  ...withoutMountApi.map(([title, faults]) => [title, faults, faults] as const),
];
for (const [title, faults, needed] of below)
  suite(
    `--no-pivot: below a root that the container unmounts there is no /proc and no /sys [${title}]`,
    async (c) => {
      const seen = await whatIsBelow(c, needed === undefined ? runtimePath : faultsPath, {
        RUNT_FAULT: faults,
      });
      assert.match(seen, /^[^\n]*end\n$/);
    },
    { needs: ["nsenter", "built", ...(needed === undefined ? [] : (["faults"] as const))] },
  );

suite("--no-pivot: a second mount of the bundle's own proc stays the container's", async (c) => {
  mkdirSync(join(c.rootfs, "proc2"));
  c.configure((spec) => {
    spec.mounts.push({ destination: "/proc2", type: "proc", source: "proc" });
    shell(spec, "cat /proc2/1/comm; grep -c . /proc/self/mountinfo");
  });
  const result = succeed(await c.runt(["run", "--no-pivot", "--bundle", c.bundle, c.id]));
  assert.match(result.stdout, /^(sh|busybox)\n\d+\n$/);
});

suite("the root itself may not be a file", async (c) => {
  c.configure((spec) => {
    spec.root.path = "config.json";
  });
  refuse(await c.run(), /ENOTDIR \(not a directory\), asked for by root.path/);
});

suite.run();
