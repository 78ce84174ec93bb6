// User namespaces that are somebody else's: who made the one that a container joins has every right in it, and may be
// an enemy of the runtime that enters it.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { USER } from "../mode.ts";
import { shell, withoutMounts } from "../spec.ts";

const hostile = conformance("a hostile user namespace", "root");

const asUser = ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];

/** A user namespace of an ordinary user, with the user as its root; `body` gets the pid of a process in it. */
async function withNamespace(body: (pid: number) => Promise<void>): Promise<void> {
  const script = `echo $$ >&3; exec sleep 600`;
  const child = spawn(
    asUser[0] ?? "",
    [...asUser.slice(1), "unshare", "-U", "--map-root-user", "sh", "-c", script],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  try {
    await new Promise((resolve) => child.stdio[3]?.once("data", resolve));
    await body(child.pid ?? 0);
  } finally {
    child.kill("SIGKILL");
  }
}

/** A container that joins it, with what its one id can own. */
async function joining(c: Fixture, owner: number, script: string): Promise<void> {
  c.configure((spec) => {
    spec.linux.namespaces.push({ type: "user", path: `/proc/${owner}/ns/user` });
    withoutMounts(spec, "/dev/pts");
    shell(spec, script);
  });
  succeed(await runCommand(["chown", "-R", `${USER}:${USER}`, c.rootfs]));
  succeed(await runCommand(["chmod", "755", c.dir]));
}

/** What the namespace's owner finds in /proc of a process that the runtime put there. */
const look = (pid: number): string[] => {
  const script = `cd /proc/${pid} || exit
    for link in root cwd exe; do readlink $link; done
    ls fd; head -c 1 mem; cat environ; cat auxv | head -c 1
    echo 300 >oom_score_adj
    nsenter -t ${pid} -U -m true && echo entered`;
  return [...asUser, "sh", "-c", `{ ${script}; } 2>/dev/null`];
};

hostile(
  "its owner gets at nothing of an init process that waits there",
  async (c) => {
    await withNamespace(async (owner) => {
      await joining(c, owner, "sleep 60");
      succeed(await c.create());
      const { pid } = await c.state();
      assert.is(readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\t(\d+)/m)?.[1], `${USER}`);
      assert.is((await runCommand(look(pid))).stdout, "");
    });
  },
  { needs: ["setpriv", "unshare", "nsenter"], runcMayFail: "to set limits it needs CAP_SYS_RESOURCE there" },
);

hostile(
  "the groups of a root that joins it are not the container's",
  async (c) => {
    await withNamespace(async (owner) => {
      await joining(c, owner, "cat /proc/self/setgroups; grep Groups /proc/self/status; sleep 60");
      const out = join(c.dir, "out");
      const create = c.command(["run", "--detach", "--bundle", c.bundle, c.id]);
      succeed(await runCommand(["setpriv", "--groups=0,10,27", ...create], { stdout: out }));
      assert.ok(await eventually(() => existsSync(out) && readFileSync(out, "utf8").includes("Groups")));
      assert.is(readFileSync(out, "utf8"), "deny\nGroups:\t \n");
      const { pid } = await c.state();
      assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^Groups:\t *$/m);
      const inside = ["exec", c.id, "grep", "Groups", "/proc/self/status"];
      const exec = await runCommand(["setpriv", "--groups=0,10,27", ...c.command(inside)]);
      assert.is(succeed(exec).stdout, "Groups:\t \n");
    });
  },
  { needs: ["setpriv", "unshare"], runcMayFail: "to set limits it needs CAP_SYS_RESOURCE there" },
);

hostile(
  "an exec into it is never to be looked into",
  async (c) => {
    await withNamespace(async (owner) => {
      await joining(c, owner, "sleep 60");
      succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
      // Whatever of the runtime's is there to be seen is tried by the owner, all the time.
      const script = `while :; do for p in /proc/[0-9]*; do
        [ "$(readlink $p/ns/user)" = "$1" ] || continue
        case $(readlink $p/exe) in *runt*) echo "$p is $(readlink $p/exe)"; ls -l $p/fd;; *) echo seen >&2;; esac
      done; done`;
      const namespace = `user:[${/\[(\d+)\]/.exec(await Bun.$`readlink /proc/${owner}/ns/user`.text())?.[1]}]`;
      const attacker = spawn(asUser[0] ?? "", [...asUser.slice(1), "sh", "-c", script, "sh", namespace], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let found = "";
      let seen = "";
      attacker.stderr.on("data", (chunk) => {
        seen += String(chunk);
      });
      attacker.stdout.on("data", (chunk) => {
        found += String(chunk);
      });
      for (let i = 0; i < 40; i++) succeed(await c.runt(["exec", c.id, "true"]));
      attacker.kill("SIGKILL");
      assert.is(found, "");
      // It does look: at the container's own processes.
      assert.match(seen, /^seen$/m);
    });
  },
  { needs: ["setpriv", "unshare"], runcMayFail: "to set limits it needs CAP_SYS_RESOURCE there" },
);

hostile.run();
