// vm
// exec into the container's cgroups: little room, sub-cgroups, and cgroups of v2 that take no processes any more.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { exec, execArgs, execShell, runWaiting, startExec } from "../exec/running.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupVersion } from "../needs.ts";
import type { Resources, Spec } from "../spec.ts";

const suite = conformance(`exec and cgroups (v${cgroupVersion})`);
const mebibyte = 1 << 20;

const limited =
  (resources: Resources, more?: (spec: Spec) => void) =>
  (spec: Spec): void => {
    spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...resources };
    more?.(spec);
  };
const ownNamespace = (spec: Spec): void => {
  spec.linux.namespaces.push({ type: "cgroup" });
};

const cgroupsOf = (pid: number | string): string => readFileSync(`/proc/${pid}/cgroup`, "utf8");

/** Runs a process by exec and says in which cgroups it is, as the host sees it. */
async function cgroupsOfExec(c: Fixture, flags: readonly string[] = []): Promise<string> {
  const pidFile = join(c.dir, "exec.pid");
  succeed(await exec(c, ["--detach", "--pid-file", pidFile, ...flags], ["sleep", "600"]));
  return cgroupsOf(readFileSync(pidFile, "utf8"));
}

for (const [title, resources] of [
  ["8 MiB of memory", { memory: { limit: 8 * mebibyte } }],
  ["8 MiB of memory and no swap", { memory: { limit: 8 * mebibyte, swap: 8 * mebibyte } }],
  ["room for one process more", { pids: { limit: 2 } }],
  ["room for no process more", { pids: { limit: 1 } }],
] as const)
  for (const own of [false, true])
    suite(
      `${title}${own ? ", with a cgroup namespace" : ""}`,
      async (c) => {
        await runWaiting(c, limited(resources, own ? ownNamespace : undefined));
        assert.is(succeed(await exec(c, [], ["echo", "inside"])).stdout, "inside\n");
        assert.is(await cgroupsOfExec(c), cgroupsOf((await c.state()).pid));
      },
      "pids" in resources ? { runcMayFail: "its threads are counted by the limit" } : {},
    );

suite(
  "a limit of processes holds for those that exec starts",
  async (c) => {
    await runWaiting(c, limited({ pids: { limit: 2 } }));
    const { stdout, stderr } = await execShell(c, "echo one; (echo two); echo three");
    assert.match(stdout, "one\n");
    assert.not.match(stdout, "two");
    assert.match(stderr, /fork/);
  },
  { runcMayFail: "its threads are counted by the limit" },
);

suite("a memory limit holds for what exec starts", async (c) => {
  await runWaiting(c, limited({ memory: { limit: 16 * mebibyte, swap: 16 * mebibyte } }));
  const result = await execShell(c, "x=$(head -c 64000000 /dev/zero | tr '\\0' x); printf %s \"$x\" | wc -c");
  assert.not.match(result.stdout, "64000000");
});

/** The container's cgroup on v2, with the init process moved to one below it. */
async function withLeaf(c: Fixture): Promise<{ top: string; path: string }> {
  const { pid } = await c.state();
  const path = cgroupsOf(pid).trim().slice("0::".length);
  const top = join("/sys/fs/cgroup", path);
  mkdirSync(join(top, "leaf"));
  writeFileSync(join(top, "leaf/cgroup.procs"), String(pid));
  return { top, path };
}

suite(
  "--cgroup: a sub-cgroup",
  async (c) => {
    await runWaiting(c);
    const path = cgroupsOf((await c.state()).pid).trim();
    mkdirSync(join("/sys/fs/cgroup", path.slice(3), "sub/inner"), { recursive: true });
    assert.is(await cgroupsOfExec(c, ["--cgroup", "sub"]), `${path}/sub\n`);
    assert.is(await cgroupsOfExec(c, ["--cgroup", "/sub/inner/"]), `${path}/sub/inner\n`);
    assert.is(await cgroupsOfExec(c, ["--cgroup", "/"]), `${path}\n`);
    refuse(await exec(c, ["--cgroup", "nowhere"], ["true"]), /nowhere.*(ENOENT|no such file)/);
  },
  { needs: ["cgroup2"] },
);

for (const [title, resources] of [
  ["", {}],
  [", with little memory", { memory: { limit: 16 * mebibyte } }],
  [", with room for one process", { pids: { limit: 2 } }],
] as const)
  suite(
    `a cgroup with limited children takes no processes: that of the init process does${title}`,
    async (c) => {
      await runWaiting(c, limited(resources));
      const { top, path } = await withLeaf(c);
      writeFileSync(join(top, "cgroup.subtree_control"), "+memory");
      assert.is(await cgroupsOfExec(c), `0::${path}/leaf\n`);
      refuse(await exec(c, ["--cgroup", "/"], ["true"]), /EBUSY|device or resource busy/);
      const { stderr } = succeed(await c.runt(["--debug", ...execArgs(c, [], ["true"])]));
      assert.match(stderr, "joining configured cgroup failed (EBUSY), will join container init cgroup");
      assert.match(stderr, `${path}/leaf`);
    },
    {
      needs: ["cgroup2"],
      ...("pids" in resources && { runcMayFail: "its threads are counted by the limit" }),
    },
  );

suite(
  "an init process in a leaf does not matter while the container's own cgroup takes processes",
  async (c) => {
    await runWaiting(c);
    const { path } = await withLeaf(c);
    assert.is(await cgroupsOfExec(c), `0::${path}\n`);
  },
  { needs: ["cgroup2"] },
);

suite(
  "--ignore-paused: the process waits for resume, in the cgroup",
  async (c) => {
    await runWaiting(c);
    succeed(await c.runt(["pause", c.id]));
    const waiting = startExec(c, ["--ignore-paused"], ["echo", "thawed"]);
    const procs = join(
      "/sys/fs/cgroup",
      cgroupsOf((await c.state()).pid)
        .trim()
        .slice(3),
      "cgroup.procs",
    );
    assert.ok(await eventually(() => readFileSync(procs, "utf8").trim().split("\n").length > 1, 60));
    succeed(await c.runt(["resume", c.id]));
    assert.is(succeed(await waiting.done).stdout, "thawed\n");
  },
  { needs: ["cgroup2"] },
);

suite.run();
