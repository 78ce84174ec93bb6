/** The smallest limits under which `run` true works: whether a container can be smaller than its runtime. */
import { spawnSync } from "node:child_process";
import { cgroupVersion } from "../needs.ts";
import type { Resources } from "../spec.ts";
import type { Commands } from "./operations.ts";
import type { Runtime } from "./runtimes.ts";
import { markdown } from "./table.ts";

export type Smallest = {
  readonly runtime: Runtime;
  /** KiB, without and with a cgroup namespace, as engines ask for one. */
  readonly plain: number;
  readonly namespaced: number;
  /** With `pids.limit` 1. */
  readonly one: boolean;
};

/** Limits are whole pages; finer steps than this would find the chance of the moment. */
const UNIT = 16;

export function smallest(runtime: Runtime, commands: Commands): Smallest {
  return {
    runtime,
    plain: smallestMemory(runtime, commands, false),
    namespaced: smallestMemory(runtime, commands, true),
    one: runs(runtime, commands, { pids: { limit: 1 } }, true),
  };
}

/** Without swap, by bisection between nothing and 64 MiB. */
function smallestMemory(runtime: Runtime, commands: Commands, namespace: boolean): number {
  let [fails, works] = [0, (64 << 10) / UNIT];
  while (works - fails > 1) {
    const middle = Math.floor((fails + works) / 2);
    const limit = middle * UNIT * 1024;
    if (runs(runtime, commands, { memory: { limit, swap: limit } }, namespace)) works = middle;
    else fails = middle;
  }
  return works * UNIT;
}

/** Whether it succeeds three times over. */
function runs(runtime: Runtime, commands: Commands, resources: Resources, namespace: boolean): boolean {
  const bundle = commands.bundles.make("narrow", ({ linux }) => {
    linux.resources = { ...linux.resources, ...resources };
    const namespaces = linux.namespaces.filter(({ type }) => type !== "cgroup");
    linux.namespaces = [...namespaces, ...(namespace ? [{ type: "cgroup" }] : [])];
  });
  const perform = ([file = "", ...args]: readonly string[]): boolean =>
    spawnSync(file, args, { stdio: "ignore", timeout: 60_000 }).status === 0;
  const once = (): boolean => perform(commands.run(runtime, bundle, "narrow"));
  const works = once() && once() && once();
  if (!works) perform(commands.delete(runtime, "narrow"));
  return works;
}

export function smallestTable(all: readonly Smallest[]): string {
  return markdown(
    [`cgroup v${cgroupVersion}`, ...all.map(({ runtime }) => runtime.name)],
    [
      ["smallest memory limit", ...all.map(({ plain }) => `${plain} KiB`)],
      ["the same, with a cgroup namespace", ...all.map(({ namespaced }) => `${namespaced} KiB`)],
      ["`pids.limit` 1", ...all.map(({ one }) => (one ? "works" : "fails"))],
    ],
  );
}
