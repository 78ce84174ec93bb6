// CVE-2021-30465 and its kin: a second container, here a loop on the host, exchanges a directory of a shared volume
// with a link that leads out, while mounts, devices, masks and the working directory below it are being made.
// Whatever each create does, nothing outside the volume changes. RUNT_RACES sets how many there are.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance } from "../harness.ts";
import { shell } from "../spec.ts";
import { makeCanary } from "./canary.ts";

const races = Number(process.env.RUNT_RACES ?? 200);

/** renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) for ever, in a process of its own. */
const attacker = `
import { dlopen, ptr } from "bun:ffi";
const { symbols } = dlopen("libc.so.6", { renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } });
const [a, b] = process.argv.slice(-2).map((path) => Buffer.from(path + "\\0"));
if (symbols.renameat2(-100, ptr(a), -100, ptr(b), 2) !== 0) process.exit(1);
const started = performance.now();
while (performance.now() - started < 600_000) symbols.renameat2(-100, ptr(a), -100, ptr(b), 2);
`;

const targets = [
  ["the host's root", () => "/"],
  ["the host's /proc", () => "/proc"],
  ["a directory of the host", (canary: string) => canary],
  ["the same, climbing", (canary: string) => `../../../../../../../../../..${canary}`],
] as const;

const race = conformance("rename race");

for (const [title, target] of targets)
  race(`a directory of a volume is exchanged with a link [${title}]`, async (c) => {
    const canary = makeCanary(c);
    const volume = join(c.dir, "volume");
    for (const dir of ["a/b", "a/t", "a/m"]) mkdirSync(join(volume, dir), { recursive: true });
    for (const file of ["a/f", "a/r"]) writeFileSync(join(volume, file), "");
    // What the link leads to has directories of the same names, so that a mount that goes astray succeeds.
    symlinkSync(target(canary.dir), join(volume, "l"));
    const script = join(c.dir, "attacker.ts");
    writeFileSync(script, attacker);
    c.configure((spec) => {
      spec.root.readonly = false;
      spec.process.cwd = "/vol/a/cwd";
      spec.mounts.push(
        { destination: "/vol", type: "bind", source: volume, options: ["rbind", "rw"] },
        { destination: "/vol/a/b", type: "bind", source: "/usr", options: ["rbind", "ro"] },
        { destination: "/vol/a/f", type: "bind", source: "/etc/hostname", options: ["bind", "ro"] },
        { destination: "/vol/a/t", type: "tmpfs", source: "tmpfs", options: ["ro"] },
        { destination: "/vol/a/new/deep", type: "tmpfs", source: "tmpfs" },
      );
      spec.linux.devices = [{ path: "/vol/a/device", type: "c", major: 1, minor: 3 }];
      spec.linux.maskedPaths = ["/vol/a/m", "/vol/a/secret"];
      spec.linux.readonlyPaths = ["/vol/a/r", "/vol/a/program"];
      shell(spec, "true");
    });
    const mounts = readFileSync("/proc/self/mountinfo", "utf8");
    const exchanging = Bun.spawn([process.execPath, "run", script, join(volume, "a"), join(volume, "l")]);
    const outcomes = { made: 0, refused: 0 };
    try {
      for (let i = 0; i < Math.ceil(races / targets.length); i++) {
        const result = await c.run();
        if (result.status === 0) outcomes.made++;
        else outcomes.refused++;
        // Refused cleanly: by an error of its own, not by a signal, a timeout or a crash.
        assert.ok(result.status === 0 || result.status === 1, JSON.stringify(result));
        if (result.status === 1) assert.match(result.stderr, /level=error msg="run[ct] run failed: /);
        canary.assertUntouched();
      }
      assert.is(exchanging.exitCode, null, "the attacker ended by itself");
    } finally {
      exchanging.kill("SIGKILL");
      await exchanging.exited;
    }
    console.log(`${title}: ${outcomes.made} made, ${outcomes.refused} refused`);
    assert.is(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
  });

race.run();
