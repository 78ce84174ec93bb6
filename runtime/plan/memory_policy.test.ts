import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nodeMask, parseNodeList, planMemoryPolicy } from "./memory_policy.ts";

const plan = suite("planMemoryPolicy");

for (const [mode, number] of [
  ["MPOL_DEFAULT", 0],
  ["MPOL_PREFERRED", 1],
  ["MPOL_BIND", 2],
  ["MPOL_INTERLEAVE", 3],
  ["MPOL_LOCAL", 4],
  ["MPOL_PREFERRED_MANY", 5],
  ["MPOL_WEIGHTED_INTERLEAVE", 6],
] as const)
  plan(`${mode} is ${number}`, () => {
    assert.is(planMemoryPolicy({ mode })?.mode, number);
  });

plan("flags are or-ed to the mode, and an error can name it as it was given", () => {
  const policy = planMemoryPolicy({
    mode: "MPOL_BIND",
    nodes: "0-1",
    flags: ["MPOL_F_NUMA_BALANCING", "MPOL_F_STATIC_NODES"],
  });
  assert.equal(policy, { mode: 0xa002, nodes: [0, 1], text: "MPOL_BIND 0-1" });
  assert.is(planMemoryPolicy({ mode: "MPOL_BIND", flags: ["MPOL_F_RELATIVE_NODES"] })?.mode, 0x4002);
});

plan.run();

const nodes = suite("parseNodeList");

for (const [text, list] of [
  ["", []],
  ["3", [3]],
  ["0-3,7", [0, 1, 2, 3, 7]],
  ["7, 0 - 1 ,1", [0, 1, 7]],
  ["1025", [1025]],
] as const)
  nodes(`${JSON.stringify(text)} is [${list}]`, () => {
    assert.equal(parseNodeList(text), [...list]);
  });

for (const text of ["3-1", "-1", "1-", "1--2", "32768", "99999999999999999999"])
  nodes(`${JSON.stringify(text)} is refused`, () => {
    const message = `linux.memoryPolicy.nodes: "${text}" is no node and no range of nodes below 32768`;
    assert.throws(
      () => parseNodeList(text),
      (error: Error) => error.message === message || assert.is(error.message, message),
    );
  });

nodes.run();

const mask = suite("nodeMask");

mask("a bit for each node, words as far as the highest needs, also beyond 1024", () => {
  assert.equal([...nodeMask([])], []);
  assert.equal([...nodeMask([0, 2])], [5n]);
  assert.equal([...nodeMask([63, 64])], [1n << 63n, 1n]);
  const large = nodeMask([0, 1025]);
  assert.is(large.length, 17);
  assert.is(large[0], 1n);
  assert.is(large[16], 2n);
});

mask.run();
