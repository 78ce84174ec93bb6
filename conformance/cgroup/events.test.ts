// vm
// events: the same numbers in the same form as runc's, read from the same cgroup; OOM events; and how a stream ends.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Running, startCommand } from "../command.ts";
import { execShell, runWaiting } from "../exec/running.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive, statusField } from "../inspect.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";
import {
  cgroupDirectories,
  messagesOf,
  oracleRoot,
  type RunningContainer,
  withRuncBeside,
} from "./beside_runc.ts";

const events = conformance("events");

const M = 1 << 20;

/** A JSON document as "path value" lines in the order of the text, numbers digit by digit. */
function flatten(text: string): string[] {
  const { parse } = JSON as unknown as { parse: (text: string, reviver: Reviver) => unknown };
  const exact: Reviver = (_key, value, context) =>
    typeof value === "number" ? `number ${context.source}` : value;
  const lines = (path: string, value: unknown): string[] =>
    typeof value !== "object" || value === null || Object.keys(value).length === 0
      ? [`${path} ${JSON.stringify(value)}`]
      : Object.entries(value).flatMap(([key, inner]) => lines(`${path}.${key}`, inner));
  return lines("", parse(text, exact));
}
type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;

/** What runc has printed since 1.2 only, on v2: runt does, and the oracle does not yet. */
const newer = /\.psi\b|^\.data\.memory\.usage\.max /;

/** Statistics line by line; Go prints the devices of io.stat in an order that changes from call to call. */
function comparable(text: string): string[] {
  const lines = flatten(text);
  if (cgroupVersion === 1) return lines;
  const isIo = (line: string): boolean => line.startsWith(".data.blkio.");
  const others = lines.filter((line) => !isIo(line) && !newer.test(line) && line !== ".data.blkio {}");
  return [...others, ...lines.filter((line) => isIo(line) && !newer.test(line)).sort()];
}

/** Lets runc's container be asked for the statistics of ours: its state.json says which cgroups it has. */
async function withCgroupsOf<T>(
  c: Fixture,
  ours: RunningContainer,
  theirs: RunningContainer,
  body: () => Promise<T>,
): Promise<T> {
  const file = join(oracleRoot(c), theirs.id, "state.json");
  const before = readFileSync(file, "utf8");
  const state = JSON.parse(before) as { cgroup_paths: Record<string, string> };
  for (const [names, directory] of cgroupDirectories(ours.pid))
    for (const name of names.split(",")) state.cgroup_paths[name] = directory;
  writeFileSync(file, JSON.stringify(state));
  try {
    return await body();
  } finally {
    writeFileSync(file, before); // or its deletion would remove our cgroups
  }
}

const statsOf = async (container: RunningContainer): Promise<string> =>
  succeed(await container.run(["events", "--stats", container.id])).stdout;

const limited = (spec: Spec): void => {
  spec.root.readonly = false;
  shell(spec, "dd if=/dev/zero of=/written bs=64k count=16 conv=fsync; exec sleep 600");
  spec.linux.resources = {
    memory: { limit: 64 * M },
    cpu: { quota: 20000, period: 100000 },
    pids: { limit: 30 },
  };
};

for (const [title, edit] of [
  ["without limits", (): void => {}],
  ["with limits", limited],
] as const)
  events(
    `--stats of a paused container is what runc makes of the same cgroup [${title}]`,
    (c) =>
      withRuncBeside(c, edit, async (ours, theirs) => {
        assert.ok(await eventually(() => statusField(ours.pid, "Name") === "sleep", 60));
        succeed(await ours.run(["pause", ours.id]));
        await withCgroupsOf(c, ours, theirs, async () => {
          // The kernel adds up some counters late, even of a container that stands still.
          let [own, known]: [string[], string[]] = [[], []];
          await eventually(async () => {
            [own, known] = [comparable(await statsOf(ours)), comparable(await statsOf(theirs))];
            known = known.map((line) => line.replace(theirs.id, ours.id));
            return own.join() === known.join();
          }, 60);
          assert.equal(own, known);
        });
      }),
    { needs: ["runc"] },
  );

events("--stats is one line with the limits in force and what was used, each number exact", async (c) => {
  await runWaiting(c, (spec) => {
    spec.linux.resources = { memory: { limit: 64 * M }, pids: { limit: 30 } };
  });
  const first = succeed(await c.runt(["events", "--stats", c.id])).stdout;
  assert.match(first, /^\{"type":"stats","id":"[^"]+","data":\{"cpu":.*\}\}\n$/);
  const lines = flatten(first);
  const unlimited = cgroupVersion === 1 ? "9223372036854771712" : "18446744073709551615";
  for (const line of [
    '.type "stats"',
    `.id "${c.id}"`,
    `.data.memory.usage.limit "number ${64 * M}"`,
    `.data.memory.swap.limit "number ${unlimited}"`,
    '.data.pids.limit "number 30"',
    '.data.pids.current "number 1"',
    ".data.network_interfaces null",
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${first}`);
  assert.ok(lines.some((line) => /^\.data\.memory\.raw\.\w+ "number [1-9]/.test(line)));
  succeed(await c.runt(["update", "--pids-limit", "-1", c.id]));
  succeed(await execShell(c, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
  const second = succeed(await c.runt(["events", "--stats", c.id])).stdout;
  assert.not.ok(
    flatten(second).some((line) => line.startsWith(".data.pids.limit ")),
    "no limit is no number",
  );
  const used = (text: string): number =>
    Number(/ "number (\d+)"/.exec(flatten(text).find((line) => /usage\.total /.test(line)) ?? "")?.[1]);
  assert.ok(used(second) > used(first), `${used(second)} after ${used(first)} nanoseconds`);
});

/** A stream whose lines can be looked at while it goes on. */
function stream(c: Fixture, ...argv: readonly string[]): Running & { lines: () => string[] } {
  const file = join(c.dir, "events");
  writeFileSync(file, "");
  const running = c.startRunt(["events", ...argv, c.id], { stdout: file, timeoutSeconds: 120 });
  return {
    ...running,
    lines: () =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== ""),
  };
}

/** Starts a stream and waits for its first statistics: from then on it hears of everything. */
async function listening(c: Fixture): Promise<ReturnType<typeof stream>> {
  const running = stream(c, "--interval", "100ms");
  assert.ok(await eventually(() => running.lines().length > 0, 60));
  return running;
}

/** The whole lines of a stream that are no statistics. */
const newsOf = ({ lines }: ReturnType<typeof stream>): string[] =>
  lines().filter((line) => !line.startsWith('{"type":"stats"'));

events("a stream: statistics at each interval, until the container is deleted", async (c) => {
  await runWaiting(c);
  const running = stream(c, "--interval", "50ms");
  assert.ok(await eventually(() => running.lines().length >= 3, 60));
  succeed(await c.runt(["delete", "--force", c.id]));
  const { status, stderr } = await running.done;
  assert.is(status, 0, stderr);
  assert.equal(newsOf(running), []);
});

/** Fills memory until it is refused. */
const fill = "exec tail /dev/zero";

const small = (spec: Spec): void => {
  spec.linux.resources = { memory: { limit: 24 * M, swap: 24 * M } };
};

events("each visit of the OOM killer is one event, between the statistics", async (c) => {
  await runWaiting(c, small);
  const running = await listening(c);
  for (const count of [1, 2]) {
    await execShell(c, fill);
    assert.ok(await eventually(() => newsOf(running).length === count, 60));
  }
  assert.equal(newsOf(running), Array(2).fill(`{"type":"oom","id":"${c.id}"}`));
  succeed(await c.runt(["delete", "--force", c.id]));
  assert.is((await running.done).status, 0);
  assert.is(newsOf(running).length, 2);
});

events("an OOM of the container's own process is told before the end", async (c) => {
  c.configure((spec) => {
    small(spec);
    shell(spec, fill);
  });
  succeed(await c.create());
  const { pid } = await c.state();
  const running = await listening(c);
  succeed(await c.runt(["start", c.id]));
  assert.ok(await eventually(() => !isAlive(pid), 60));
  // On v2 the last process is the end. Who removes the cgroup before it was looked at leaves nothing to be read of it.
  if (cgroupVersion === 2) await running.done;
  succeed(await c.runt(["delete", c.id]));
  assert.is((await running.done).status, 0);
  assert.equal(newsOf(running), [`{"type":"oom","id":"${c.id}"}`]);
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  events(`a stream ends by ${signal}`, async (c) => {
    await runWaiting(c);
    const running = await listening(c);
    running.kill(signal);
    const result = await running.done;
    assert.is(result.signal, signal);
    assert.is(result.stderr, "");
    assert.is((await c.state()).status, "running");
  });

events(
  "a stream whose reader goes away ends at once, quietly",
  async (c) => {
    await runWaiting(c);
    for (const interval of ["1h", "20ms"]) {
      const command = `"$0" --root "$1" events --interval ${interval} "$2"; echo "status $?" >&2`;
      const reader = `while ! [ -e ${c.dir}/go ]; do sleep 0.05; done`;
      const script = `{ ${command}; } | { ${reader}; }`;
      const running = startCommand(["sh", "-c", script, runtimePath, c.root, c.id], { timeoutSeconds: 60 });
      writeFileSync(join(c.dir, "go"), "");
      const { stderr, timedOut } = await running.done;
      assert.not(timedOut);
      assert.is(stderr, "status 0\n", interval);
    }
  },
  { runcFails: "runc dies of SIGPIPE at its next line, which may be long from then" },
);

events(
  "mistakes have runc's words, and then what is accepted",
  (c) =>
    withRuncBeside(
      c,
      () => {},
      async (ours, theirs) => {
        const intervals = [
          "abc",
          "5",
          "",
          "1h2m3",
          "5x",
          "1e3s",
          "9999999h",
          "1d",
          "--",
          "0",
          "0s",
          "-1s",
          ".s",
        ];
        for (const interval of intervals) {
          const ask = (container: RunningContainer) =>
            container.run(["events", `--interval=${interval}`, container.id]);
          const [mine, oracle] = [await ask(ours), await ask(theirs)];
          const words = messagesOf(mine).map((text) => text.replace(/ \([^()]* are accepted\b[^()]*\)/, ""));
          assert.equal(words, messagesOf(oracle), interval);
          assert.is(mine.status, oracle.status, interval);
        }
        for (const interval of ["+1.5s", "1h0.5m"])
          succeed(await ours.run(["events", "--interval", interval, "--stats", ours.id]));
        process.kill(ours.pid, "SIGKILL");
        await eventually(() => !isAlive(ours.pid));
        for (const flags of [[], ["--stats"]])
          refuse(
            await ours.run(["events", ...flags, ours.id]),
            `container with id ${ours.id} is not running`,
          );
        refuse(await ours.run(["events", "--interval", "0", "nobody"]), "container does not exist");
      },
    ),
  { needs: ["runc"] },
);

events("a container without a process any more ends a stream on v2, a deleted one everywhere", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  const running = await listening(c);
  process.kill(pid, "SIGKILL");
  if (cgroupVersion === 2) assert.is((await running.done).status, 0);
  await eventually(() => !isAlive(pid), 60);
  succeed(await c.runt(["delete", c.id]));
  assert.is((await running.done).status, 0);
  assert.equal(newsOf(running), []);
});
events.run();
