// vm only
// exec on pure cgroup v2: which cgroup its process is in, and limits that are as small as can be.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { exec, runWaiting } from "./running.ts";

const cgroup2 = conformance("exec, cgroup v2");
const needed = { needs: ["cgroup2"] } as const;

const pathOf = (pid: number): string =>
  /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";

/** The container's cgroup, its path and its directory. */
async function cgroupOf(c: Fixture): Promise<{ pid: number; path: string; directory: string }> {
  const { pid } = await c.state();
  const path = pathOf(pid);
  return { pid, path, directory: join("/sys/fs/cgroup", path) };
}

const showing = ["cat", "/proc/self/cgroup"];

cgroup2(
  "the process is in the container's, or in a cgroup below it that exists",
  async (c) => {
    await runWaiting(c);
    const { path, directory } = await cgroupOf(c);
    mkdirSync(join(directory, "sub"));
    for (const [flags, below] of [
      [[], ""],
      [["--cgroup", "/"], ""],
      [["--cgroup", "sub"], "/sub"],
      [["--cgroup", "/sub/"], "/sub"],
    ] as const)
      assert.is(succeed(await exec(c, flags, showing)).stdout, `0::${path}${below}\n`, flags.join(" "));
    for (const [given, text] of [
      ["none", "no such file or directory"],
      ["../..", /bad sub cgroup path|is not a sub cgroup path/],
      ["memory:sub", "unknown controller memory"],
    ] as const)
      refuse(await exec(c, ["--cgroup", given], ["true"]), text);
  },
  needed,
);

cgroup2(
  "a cgroup that has children with controllers takes no processes: it goes to that of init, but not with --cgroup /",
  async (c) => {
    await runWaiting(c);
    const { pid, path, directory } = await cgroupOf(c);
    mkdirSync(join(directory, "leaf"));
    writeFileSync(join(directory, "leaf/cgroup.procs"), String(pid));
    writeFileSync(join(directory, "cgroup.subtree_control"), "+pids");
    assert.is(succeed(await exec(c, [], showing)).stdout, `0::${path}/leaf\n`);
    refuse(await exec(c, ["--cgroup", "/"], ["true"]), /EBUSY|device or resource busy/);
  },
  needed,
);

cgroup2(
  "a limit of two processes, of which one is there: the other is the program, not those that bring it in",
  async (c) => {
    await runWaiting(c, (spec) => {
      spec.linux.resources = { ...spec.linux.resources, pids: { limit: 2 } };
    });
    const { path } = await cgroupOf(c);
    for (let i = 0; i < 2; i++) assert.is(succeed(await exec(c, [], showing)).stdout, `0::${path}\n`);
  },
  { needs: ["cgroup2"], runcMayFail: "its own processes count as well" },
);

cgroup2(
  "a memory limit of 4 MiB holds the program, not the engine",
  async (c) => {
    await runWaiting(c, (spec) => {
      spec.linux.resources = { ...spec.linux.resources, memory: { limit: 4 << 20 } };
    });
    const { path } = await cgroupOf(c);
    assert.is(succeed(await exec(c, [], showing)).stdout, `0::${path}\n`);
  },
  { needs: ["cgroup2"], runcMayFail: "its own processes are charged as well" },
);

cgroup2.run();
