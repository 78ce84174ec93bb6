import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Process } from "../config/types.ts";
import { planProcess } from "./process.ts";

const processes = suite("planProcess");

const plan = (process: Partial<Process>) =>
  planProcess({ cwd: "/", args: ["sh"], ...process } as Process, 0n).plan;

processes("the least there can be", () => {
  const least = plan({});
  assert.equal([least.uid, least.gid, least.additionalGids, least.umask], [0, 0, [], undefined]);
  assert.equal([least.args, least.env, least.cwd, least.rlimits], [["sh"], [], "/", []]);
  assert.equal([least.terminal, least.noNewPrivileges], [false, false]);
  assert.equal([least.oomScoreAdj, least.consoleSize], [undefined, undefined]);
});

processes("a user with everything", () => {
  const full = plan({ user: { uid: 1, gid: 2, umask: 0o27, additionalGids: [3, 4] }, oomScoreAdj: 0 });
  assert.equal([full.uid, full.gid, full.additionalGids, full.umask], [1, 2, [3, 4], 0o27]);
  assert.is(full.oomScoreAdj, 0); // written, as it was given
});

for (const [title, env, expected] of [
  ["no duplicate", ["A=1", "B=2"], ["A=1", "B=2"]],
  ["the last of a name counts, in its place", ["A=1", "B=2", "A=3"], ["B=2", "A=3"]],
  ["a name is all before the first =", ["A=1=2", "A=", "AA=1"], ["A=", "AA=1"]],
  ["without = it is a name", ["A", "A=1", "B"], ["A=1", "B"]],
  [
    "names of every object",
    ["__proto__=1", "constructor=2", "__proto__=3"],
    ["constructor=2", "__proto__=3"],
  ],
] as const)
  processes(`env [${title}]`, () => assert.equal(plan({ env: [...env] }).env, expected));

for (const [size, expected] of [
  [
    { height: 24, width: 80 },
    { rows: 24, columns: 80 },
  ],
  [{ height: 0, width: 80 }, undefined],
  [undefined, undefined],
] as const)
  processes(`consoleSize ${JSON.stringify(size)}`, () => {
    assert.equal(plan(size === undefined ? {} : { consoleSize: size }).consoleSize, expected);
  });

processes("capabilities that this process lacks are told", () => {
  const process = { cwd: "/", args: ["sh"], capabilities: { bounding: ["CAP_KILL"] } } as Process;
  assert.equal(planProcess(process, 0n).warnings, [
    "this runtime lacks, and so does the container: CAP_KILL",
  ]);
});

processes.run();
