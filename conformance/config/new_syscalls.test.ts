// System calls that an old kernel has not, or that the filter of an old engine refuses: each of them in turn, with ENOSYS
// and with EPERM. A life either goes on as ever, by something that is as safe, or ends with one error that names the call.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture } from "../harness.ts";
import { faultsPath } from "../needs.ts";
import { shell } from "../spec.ts";

const newSyscalls = conformance("young system calls");

/** What goes on without it, or the command that ends and what it says; the others do without. */
const calls: Readonly<Record<string, "works" | readonly [command: string, says: RegExp]>> = {
  openat2: "works",
  clone3: "works",
  close_range: "works",
  statx: "works",
  execveat: "works",
  faccessat2: "works",
  mount_setattr: "works",
  open_tree: "works",
  move_mount: "works",
  fsopen: "works",
  fsconfig: "works",
  fsmount: "works",
  pidfd_getfd: "works",
  memfd_create: ["create", /^memfd_create runt-hooks: ERRNO/],
  pidfd_open: ["start", /^pidfd_open pid \d+: ERRNO/],
  pidfd_send_signal: ["kill", /^send signal 9: ERRNO/],
};

/** Runs a command under the fault; the last record of the log, if it failed. */
async function said(c: Fixture, fault: string, args: readonly string[]): Promise<string> {
  const log = join(c.dir, "log");
  const env = { ...(process.env as Record<string, string>), RUNT_FAULT: fault };
  // Its streams are those of the container too, which outlives it.
  const words = ["sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh"];
  const command = [faultsPath, "--log", log, "--log-format", "json", "--root", c.root, ...args];
  const { status } = await runCommand([...words, ...command], { env, timeoutSeconds: 20 });
  if (status === 0) return "";
  const records = readFileSync(log, "utf8").trim().split("\n");
  return (JSON.parse(records.at(-1) ?? "{}") as { msg?: string }).msg ?? "nothing";
}

/** One word for each command of a life, with what it says when it fails; the life ends there. */
async function live(
  c: Fixture,
  fault: string,
): Promise<readonly [command: string, says: string] | undefined> {
  const life: readonly (readonly string[])[] = [
    ["create", "--bundle", c.bundle, c.id],
    ["start", c.id],
    ["exec", c.id, "true"],
    ["ps", c.id],
    ["kill", c.id, "KILL"],
  ];
  for (const args of life) {
    const says = await said(c, fault, args);
    if (says !== "") return [args[0] ?? "", says];
  }
  await c.deleteForce();
  const says = await said(c, fault, ["run", "--detach", "--bundle", c.bundle, c.id]);
  return says === "" ? undefined : ["run", says];
}

for (const [call, expected] of Object.entries(calls))
  for (const errno of ["ENOSYS", "EPERM"])
    newSyscalls(
      `${call} [${errno}]: ${expected === "works" ? "the life goes on" : `${expected[0]} says so`}`,
      async (c) => {
        c.configure((spec) => shell(spec, "exec sleep 60"));
        const ended = await live(c, `${call}:*:${errno}`);
        if (expected === "works") return assert.equal(ended, undefined);
        const [command, says] = expected;
        assert.is(ended?.[0], command, ended?.[1] ?? "nothing");
        assert.match(
          (ended?.[1] ?? "").replace(/^runt \w+ failed: /, ""),
          new RegExp(says.source.replace("ERRNO", errno)),
        );
        await c.deleteForce();
      },
      { needs: ["faults"] },
    );

newSyscalls.run();
