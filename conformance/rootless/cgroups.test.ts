// vm
// serial
// Cgroups that are delegated to an ordinary user in one hierarchy, here that of cgroup v2, and in no other.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { USER } from "../mode.ts";
import { cgroupVersion } from "../needs.ts";
import { shell } from "../spec.ts";

const top = cgroupVersion === 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
const lacks = existsSync(join(top, "cgroup.procs")) ? undefined : `there is no cgroup v2 in ${top}`;
const cgroups = conformance("delegated cgroups of an ordinary user", "user, one id");

type Delegated = {
  /** Runs the runtime from a cgroup below the delegated one. */
  readonly within: (args: readonly string[]) => Promise<Result>;
  readonly path: string;
};

async function delegated(c: Fixture, body: (d: Delegated) => Promise<void>): Promise<void> {
  const path = join(top, c.token);
  mkdirSync(join(path, "session"), { recursive: true });
  for (const name of ["", "session", "cgroup.procs", "session/cgroup.procs", "cgroup.subtree_control"])
    chownSync(join(path, name), USER, USER);
  const enter = `echo $$ >${path}/session/cgroup.procs; exec "$@"`;
  try {
    await body({ path, within: (args) => runCommand(["sh", "-c", enter, "sh", ...c.command(args)]) });
  } finally {
    await c.deleteForce();
    for (const name of [...readdirSync(path).filter((each) => each === "session" || each === c.id), ""])
      rmdirSync(join(path, name));
  }
}

cgroups(
  "the container's is beside the runtime's, and is frozen, listed and removed by the user",
  (c) =>
    delegated(c, async ({ within, path }) => {
      c.configure((spec) => shell(spec, "sleep 60"));
      succeed(await within(["run", "--detach", "--bundle", c.bundle, c.id]));
      const own = join(path, cgroupVersion === 2 ? c.id : `session/${c.id}`);
      const { pid } = await c.state();
      assert.is(readFileSync(join(own, "cgroup.procs"), "utf8"), `${pid}\n`);
      succeed(await c.runt(["pause", c.id]));
      assert.is((await c.state()).status, "paused");
      succeed(await c.runt(["resume", c.id]));
      const listed = JSON.parse(succeed(await c.runt(["ps", "--format", "json", c.id])).stdout);
      assert.equal(listed, [pid]);
      succeed(await c.runt(["delete", "--force", c.id]));
      assert.not(existsSync(own));
    }),
  { lacks, runcFails: "on a hybrid host it does not use the unified hierarchy" },
);

cgroups(
  "exec from another session, which may not move processes there, goes on outside; to a named one it is an error",
  (c) =>
    delegated(c, async ({ within }) => {
      c.configure((spec) => shell(spec, "sleep 60"));
      succeed(await within(["run", "--detach", "--bundle", c.bundle, c.id]));
      const cgroup = async (result: Promise<Result>) => /^0::(.*)$/m.exec(succeed(await result).stdout)?.[1];
      const exec = ["exec", c.id, "cat", "/proc/self/cgroup"];
      assert.match((await cgroup(within(exec))) ?? "", c.id);
      assert.not.match((await cgroup(c.runt(exec))) ?? "", c.id);
      refuse(await c.runt(["exec", "--cgroup", "/sub", c.id, "true"]), /cgroup.*(ENOENT|EACCES)/);
    }),
  { lacks, runcFails: "on a hybrid host it does not use the unified hierarchy" },
);

const many = conformance("delegated cgroups of an ordinary user", "user, newuidmap");

many(
  "a cgroup that is not the user's to give to another user inside is kept",
  (c) =>
    delegated(c, async ({ within }) => {
      c.configure((spec) => {
        spec.linux.namespaces.push({ type: "cgroup" });
        spec.process.user = { uid: 1000, gid: 1000 };
        for (const mount of spec.mounts)
          if (mount.type === "cgroup")
            mount.options = (mount.options ?? []).filter((option) => option !== "ro");
        shell(spec, "id -u");
      });
      assert.is(succeed(await within(["run", "--bundle", c.bundle, c.id])).stdout, "1000\n");
    }),
  { lacks },
);

cgroups.run();
many.run();
