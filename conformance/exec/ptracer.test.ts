// A process in the container that hunts what exec brings in: by /proc/<pid>, by descriptors, by ptrace, in memory.
// RUNT_ATTACKS says how many execs it gets to see (for a long one, 500 in all). Without CAP_SYS_PTRACE it gets nothing at all. With it the kernel
// lets it take any process of its pid namespace; proven is that there is nothing to be had: none that may do more than
// the container may anyway, no way to a file of the host, nothing of the caller's environment.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { findCommand } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { makeCanary } from "../security/canary.ts";
import type { Spec } from "../spec.ts";
import { fingerprint, fourAtATime } from "./many.ts";
import { exec, runWaiting } from "./running.ts";

const ptracer = conformance("exec, runPtracer");
const given = process.env.RUNT_ATTACKS;
const many = Number(given ?? 500);
const fewer = Number(given ?? 100);

const runcFails = "its process is in the pid namespace with all capabilities, and drops them there";

/** How often it found what (ptracer.c). */
type Found = Record<
  | "seen"
  | "met"
  | "stronger"
  | "hostRoot"
  | "hostCwd"
  | "hostFd"
  | "exeRead"
  | "exeWritten"
  | "mem"
  | "searched"
  | "secrets"
  | "traced"
  | "stolen"
  | "arguments",
  number
>;

async function runPtracer(
  c: Fixture,
  count: number,
  capabilities: readonly string[],
  edit?: (spec: Spec) => void,
): Promise<Found> {
  const canary = makeCanary(c);
  const source = new URL("ptracer.c", import.meta.url).pathname;
  execFileSync(findCommand("cc") ?? "cc", [
    "-O1",
    "-Wall",
    "-Werror",
    "-static",
    "-o",
    join(c.rootfs, "bin/ptracer"),
    source,
  ]);
  const secret = `of the caller, ${c.token}`;
  writeFileSync(join(c.rootfs, "etc/wanted"), secret);
  const before = fingerprint();
  await runWaiting(c, (spec) => {
    spec.root.readonly = false;
    spec.process.args = ["/bin/ptracer", join(canary.dir, "secret")];
    for (const set of ["bounding", "effective", "permitted"] as const)
      spec.process.capabilities?.[set]?.push(...capabilities);
    edit?.(spec);
  });
  const env = { ...process.env, CONFORMANCE_SECRET: secret } as Record<string, string>;
  await fourAtATime(count, async (i) => {
    const user = i % 3 === 2 ? ["--user", "1000:1000"] : [];
    succeed(await exec(c, user, ["true"], { env }));
  });
  succeed(await c.runt(["kill", c.id, "TERM"]));
  const file = join(c.rootfs, "tmp/found");
  assert.ok(await eventually(() => existsSync(file) && readFileSync(file, "utf8").endsWith("}"), 20));
  const found = JSON.parse(readFileSync(file, "utf8")) as Found;
  console.log(JSON.stringify(found));
  assert.is(fingerprint(), before);
  canary.assertUntouched();
  assert.ok(found.met > 0, "it met none of the processes");
  return found;
}

ptracer(
  `${many} execs: a process like any other finds nothing (CVE-2016-9962, CVE-2019-5736)`,
  async (c) => {
    const { seen, met, ...rest } = await runPtracer(c, many, []);
    assert.ok(seen >= met);
    assert.equal(
      Object.entries(rest).filter(([, times]) => times !== 0),
      [],
    );
  },
  { needs: ["cc"], runcFails },
);

for (const [title, edit] of [
  ["no_new_privs", () => {}],
  [
    "a profile, without no_new_privs",
    (spec: Spec) => {
      const profile = engineProfile();
      profile.syscalls?.push({ names: ["ptrace"], action: "SCMP_ACT_ALLOW" });
      spec.linux.seccomp = profile;
      spec.process.noNewPrivileges = false;
    },
  ],
] as const)
  ptracer(
    `${fewer} execs: with CAP_SYS_PTRACE and CAP_DAC_OVERRIDE, nothing that leads further [${title}]`,
    async (c) => {
      const found = await runPtracer(c, fewer, ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"], edit);
      const { stronger, hostRoot, hostCwd, hostFd, exeWritten, secrets, arguments: shown } = found;
      const none = { stronger, hostRoot, hostCwd, hostFd, exeWritten, secrets, shown };
      assert.equal(none, {
        stronger: 0,
        hostRoot: 0,
        hostCwd: 0,
        hostFd: 0,
        exeWritten: 0,
        secrets: 0,
        shown: 0,
      });
      assert.ok(found.searched > 0, "it searched none of the processes");
    },
    { needs: ["cc"], runcFails },
  );

ptracer.run();
