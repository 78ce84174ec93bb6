/** `--engines`: a container of containerd, of Podman and of Docker with each runtime, from the client's start to its end. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { containerdNeeds, startContainerd } from "../engines/containerd.ts";
import { dockerNeeds, startDocker } from "../engines/docker.ts";
import type { Engine } from "../engines/engine.ts";
import type { Machine } from "../engines/machine.ts";
import { busybox, imageName } from "../engines/oci_image.ts";
import { podmanNeeds, startPodman } from "../engines/podman.ts";
import { type Fixture, withFixture } from "../harness.ts";
import { findCommand, type Need, needs } from "../needs.ts";
import type { Operation } from "./operations.ts";
import type { Row } from "./rounds.ts";
import type { Runtime } from "./runtimes.ts";
import { Stopwatch } from "./stopwatch.ts";

type Driver = {
  readonly engine: Engine & { readonly host: Machine };
  /** The command line on the engine's machine that runs `true` in a container of this name, and takes it away. */
  readonly run: (runtime: Runtime, name: string) => string[];
};

const GOAL = { crun: 0.95, runc: 0.9 };

/** Daemons of their own, as in conformance/engines; what is timed is started on their machines. */
export async function engineRows(
  runtimes: readonly Runtime[],
  row: (operation: Operation, able: readonly Runtime[], watch: Stopwatch) => Row,
): Promise<Row[]> {
  const drivers: readonly (readonly [string, readonly Need[], (c: Fixture) => Promise<Driver>])[] = [
    ["`ctr run`", containerdNeeds, byCtr],
    ["`podman run`", podmanNeeds, byPodman],
    ["`docker run`", dockerNeeds, (c) => byDocker(c, runtimes)],
  ];
  const rows: Row[] = [];
  for (const [name, wanted, start] of drivers) {
    if (!needs(name, ...wanted)) continue;
    try {
      await withFixture(async (c) => {
        const { engine, run } = await start(c);
        let count = 0;
        const sample: Operation["sample"] = (runtime) => [{ run: run(runtime, `${c.token}-${count++}`) }];
        try {
          const dir = join(c.dir, "stopwatch");
          mkdirSync(dir);
          const watch = new Stopwatch(dir, engine.host.enter);
          rows.push(row({ name, goal: GOAL, sample, rounds: 0.5 }, runtimes, watch));
        } finally {
          await engine.stop();
        }
      });
    } catch (error) {
      console.log(`skip: ${name}: ${(error as Error).message}`);
    }
  }
  return rows;
}

async function byCtr(c: Fixture): Promise<Driver> {
  const config = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n';
  const engine = await startContainerd(c, "ctr", { namespace: c.token, images: busybox, config });
  const [, ...args] = engine.ctrArgs([]);
  const run: Driver["run"] = ({ path }, name) => [
    ...[findCommand("ctr") ?? "", ...args, "run", "--rm", "--runc-binary", path, imageName, name, "true"],
  ];
  return { engine, run };
}

async function byPodman(c: Fixture): Promise<Driver> {
  const engine = await startPodman(c);
  const run: Driver["run"] = ({ path }, name) => [
    ...[findCommand("podman") ?? "", "--runtime", path, "run", "--rm", "--network", "none", "--name", name],
    ...[imageName, "true"],
  ];
  return { engine, run };
}

async function byDocker(c: Fixture, runtimes: readonly Runtime[]): Promise<Driver> {
  const named = runtimes.map(({ key, path }) => [key, { path }] as const);
  const engine = await startDocker(c, { runtimes: Object.fromEntries(named), "default-runtime": "r0" });
  const run: Driver["run"] = ({ key }, name) => [
    ...[engine.path, "run", "--rm", "--network", "none", "--runtime", key, "--name", name],
    ...[imageName, "true"],
  ];
  return { engine, run };
}
