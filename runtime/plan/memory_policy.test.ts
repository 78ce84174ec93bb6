import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../syscalls/testing/saying.ts";
import { planMemoryPolicy } from "./memory_policy.ts";

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

plan("nodes that are none are refused by their field", () => {
  assert.throws(
    () => planMemoryPolicy({ mode: "MPOL_BIND", nodes: "32768" }),
    saying('linux.memoryPolicy.nodes: "32768" is no node and no range of nodes below 32768'),
  );
});

plan.run();
