// Hostile processes in a container while others are put there. RUNT_ATTACKS says how many execs they see.
import { openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, succeed } from "../harness.ts";
import { makeCanary } from "../security/canary.ts";
import { shell } from "../spec.ts";
import { fingerprint, fourAtATime } from "./many.ts";
import { exec, execShell, runWaiting } from "./running.ts";

const attack = conformance("exec, attacked");
const count = Number(process.env.RUNT_ATTACKS ?? 60);

attack("programs that are #!/proc/self/exe do not reach the runtime's file", async (c) => {
  const before = fingerprint();
  writeFileSync(join(c.rootfs, "bin/entry"), "#!/proc/self/exe\n", { mode: 0o755 });
  symlinkSync("/proc/self/exe", join(c.rootfs, "bin/entrylink"));
  await runWaiting(c, (spec) => {
    spec.root.readonly = false;
  });
  for (const program of ["/bin/entry", "/proc/self/exe", "/bin/entrylink"]) {
    const result = await exec(c, [], [program, "--version"], { timeoutSeconds: 10 });
    assert.is(result.timedOut, false, program);
    const overwrite = "for i in 1 2 3; do : > /proc/self/exe; done 2>/dev/null";
    await execShell(c, overwrite);
  }
  assert.is(fingerprint(), before);
});

attack("exec --cwd /proc/self/fd/N never leads to the host (CVE-2024-21626)", async (c) => {
  const canary = makeCanary(c);
  for (let fd = 3; fd <= 16; fd++) symlinkSync(`/proc/self/fd/${fd}`, join(c.rootfs, `to${fd}`));
  await runWaiting(c);
  const extraFds = Array.from({ length: 14 }, () => openSync(canary.dir, "r"));
  for (let fd = 3; fd <= 16; fd++) {
    for (const cwd of [`/proc/self/fd/${fd}`, `/to${fd}`]) {
      const result = await execShell(c, "cat ./secret; cat ../canary/secret", ["--cwd", cwd], { extraFds });
      assert.not.match(result.stdout, "host file", cwd);
    }
    const program = await exec(c, [], [`/proc/self/fd/${fd}/program`], { extraFds });
    assert.is(program.status, 255);
    assert.not.match(program.stdout, "ran a host file");
  }
});

attack("a container that mounts a false /proc over its own: nothing is written there", async (c) => {
  await runWaiting(c, (spec) => {
    spec.root.readonly = false;
    for (const set of ["bounding", "effective", "permitted"] as const)
      spec.process.capabilities?.[set]?.push("CAP_SYS_ADMIN");
  });
  const files =
    "self/attr/exec self/attr/current self/oom_score_adj self/status self/maps thread-self/attr/exec";
  const fake = `mount -t tmpfs tmpfs /proc && cd /proc && mkdir -p self/attr self/task thread-self/attr 1 sys
    for file in ${files}; do echo false > $file; done; ln -s / self/root; ln -s / self/exe; echo made`;
  assert.is(succeed(await execShell(c, fake)).stdout, "made\n");
  const look = `cd /proc; for file in ${files}; do cat $file; done; ls self/fd 2>/dev/null; echo seen`;
  assert.is(succeed(await execShell(c, look)).stdout, `${"false\n".repeat(6)}seen\n`);
});

attack(
  "a container that kills all that it sees: exec ends with an error or 137, and never hangs",
  async (c) => {
    await runWaiting(c, (spec) => {
      // As pid 1 it is spared by its own kill -9 -1.
      shell(spec, "while :; do kill -9 -1; done 2>/dev/null");
    });
    const statuses = new Map<number | null, number>();
    await fourAtATime(count, async () => {
      const result = await exec(c, [], ["true"], { timeoutSeconds: 20 });
      assert.is(result.timedOut, false, "hung");
      statuses.set(result.status, (statuses.get(result.status) ?? 0) + 1);
    });
    console.log(JSON.stringify(Object.fromEntries(statuses)));
    for (const status of statuses.keys()) assert.ok([0, 137, 255].includes(status ?? -1), String(status));
  },
);

attack.run();
