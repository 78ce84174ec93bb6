// serial
// A container in the pid namespace of another, as in a pod: what is made there is not to be looked into by what lives
// there, not even when fs.suid_dumpable is 1, by which a process that has changed its ids may be (proc(5), prctl(2)).
// With no other beside it, as the sysctl is the whole machine's.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, sleep } from "../command.ts";
import { exec, runWaiting } from "../exec/running.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { statusField } from "../inspect.ts";
import { findCommand } from "../needs.ts";
import type { Spec } from "../spec.ts";
import { makeCanary } from "./canary.ts";

const joined = conformance("a pid namespace by path");

const sysctl = "/proc/sys/fs/suid_dumpable";

async function withDumpable(value: string, body: () => Promise<void>): Promise<void> {
  const before = readFileSync(sysctl, "utf8");
  const restore = () => writeFileSync(sysctl, before);
  process.once("exit", restore);
  writeFileSync(sysctl, value);
  try {
    await body();
  } finally {
    restore();
    process.off("exit", restore);
  }
}

/** As an ordinary user without capabilities, so that nothing but that flag stands between two of them. */
function unprivileged(spec: Spec): void {
  spec.process.user = { uid: 1000, gid: 1000 };
  spec.process.capabilities = { bounding: [], effective: [], permitted: [] };
}

/** The next container of this bundle, in the pid namespace of the first. */
async function configureSecond(c: Fixture): Promise<void> {
  const { pid } = await c.state();
  c.configure((spec) => {
    unprivileged(spec);
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    spec.linux.namespaces.push({ type: "pid", path: `/proc/${pid}/ns/pid` });
  });
}

for (const value of ["0", "1"])
  joined(`an init process that waits shows nothing to its own user [suid_dumpable ${value}]`, (c) =>
    withDumpable(value, async () => {
      await runWaiting(c, unprivileged);
      await configureSecond(c);
      const second = `${c.id}.second`;
      succeed(await c.runt(["create", "--bundle", c.bundle, second]));
      const { pid } = JSON.parse((await c.runt(["state", second])).stdout) as { pid: number };
      const inside = statusField(pid, "NSpid")?.split("\t").at(-1);
      const script = `cd /proc/${inside} && grep Uid status; for f in exe cwd root; do readlink $f; done; ls fd; cat environ maps | wc -c; (: >>mem) && echo written`;
      const { stdout } = await exec(c, [], ["sh", "-c", script]);
      assert.is(stdout, "Uid:\t1000\t1000\t1000\t1000\n0\n");
    }),
  );

joined("the runtime itself is known by its arguments as before", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  c.configure((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    spec.linux.namespaces.push({ type: "pid", path: `/proc/${pid}/ns/pid` });
    spec.process.args = ["sleep", "60"];
  });
  const second = `${c.id}.second`;
  const running = c.startRunt(["run", "--bundle", c.bundle, second]);
  assert.ok(await eventually(() => existsSync(join(c.root, second)), 10));
  const status = async () => (await c.runt(["state", second])).stdout;
  for (let tries = 0; tries < 100 && !(await status()).includes('"running"'); tries++) await sleep(0.02);
  assert.is(
    readFileSync(`/proc/${running.pid}/cmdline`, "utf8").split("\0").slice(-5).join(" "),
    `run --bundle ${c.bundle} ${second} `,
  );
  succeed(await c.deleteForce(second));
  await running.done;
});

joined(
  "while containers start beside it, a ptracer finds nothing [suid_dumpable 1]",
  (c) =>
    withDumpable("1", async () => {
      const canary = makeCanary(c);
      const source = new URL("../exec/ptracer.c", import.meta.url).pathname;
      const program = join(c.rootfs, "bin/ptracer");
      execFileSync(findCommand("cc") ?? "cc", ["-O1", "-Wall", "-Werror", "-static", "-o", program, source]);
      const secret = `of the caller, ${c.token}`;
      writeFileSync(join(c.rootfs, "etc/wanted"), secret);
      chmodSync(join(c.rootfs, "tmp"), 0o1777);
      await runWaiting(c, (spec) => {
        unprivileged(spec);
        spec.root.readonly = false;
        spec.process.args = ["/bin/ptracer", join(canary.dir, "secret")];
      });
      await configureSecond(c);
      const env = { ...process.env, CONFORMANCE_SECRET: secret } as Record<string, string>;
      for (let i = 0; i < 40; i++)
        succeed(await c.runt(["run", "--bundle", c.bundle, `${c.id}.${i}`], { env }));
      succeed(await c.runt(["kill", c.id, "TERM"]));
      const file = join(c.rootfs, "tmp/found");
      assert.ok(await eventually(() => existsSync(file) && readFileSync(file, "utf8").endsWith("}"), 20));
      const { seen, met, stronger, ...rest } = JSON.parse(readFileSync(file, "utf8")) as Record<
        string,
        number
      >;
      assert.ok((seen ?? 0) > 0 && (met ?? 0) > 0, "it met none of the processes");
      assert.equal(
        Object.entries(rest).filter(([, times]) => times !== 0),
        [],
      );
      canary.assertUntouched();
    }),
  { needs: ["cc"] },
);

joined.run();
