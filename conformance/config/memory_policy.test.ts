// linux.memoryPolicy, as the kernel shows it for each mapping in numa_maps. No peer of the day has it.
import { release } from "node:os";
import * as assert from "uvu/assert";
import { conformance, refuse, succeed } from "../harness.ts";
import type { Spec } from "../spec.ts";

const policy = conformance("memoryPolicy");
const runcFails = "runc 1.1.5 does not have it";

type Version = readonly [number, number];
const [major = 0, minor = 0] = release().split(".").map(Number);
const isOlder = (least: Version): boolean => major < least[0] || (major === least[0] && minor < least[1]);

const always: Version = [0, 0];

/** What is asked, what the kernel shows, and since which release it does. */
const shown: readonly [NonNullable<Spec["linux"]["memoryPolicy"]>, string, Version?][] = [
  [{ mode: "MPOL_DEFAULT" }, "default"],
  [{ mode: "MPOL_LOCAL" }, "local"],
  [{ mode: "MPOL_BIND", nodes: "0" }, "bind:0"],
  [{ mode: "MPOL_INTERLEAVE", nodes: "0" }, "interleave:0"],
  [{ mode: "MPOL_WEIGHTED_INTERLEAVE", nodes: "0-0" }, "weighted interleave:0", [6, 9]],
  [{ mode: "MPOL_PREFERRED", nodes: "0" }, "prefer:0"],
  [{ mode: "MPOL_PREFERRED" }, "local"],
  [{ mode: "MPOL_PREFERRED_MANY", nodes: "0" }, "prefer (many):0", [5, 15]],
  [{ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }, "bind=static:0"],
  [{ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"] }, "bind=relative:0"],
  [{ mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"] }, "bind=balancing:0", [6, 18]],
];

for (const [memoryPolicy, text, least = always] of shown) {
  const title = `${memoryPolicy.mode} ${memoryPolicy.nodes ?? "no nodes"} ${memoryPolicy.flags ?? ""}`;
  policy(
    title,
    async (c) => {
      if (isOlder(least)) return console.log(`skip: memoryPolicy: ${title}: needs Linux ${least.join(".")}`);
      c.configure((spec) => {
        spec.linux.memoryPolicy = memoryPolicy;
        spec.process.args = ["grep", "-m1", "file=", "/proc/self/numa_maps"];
      });
      const line = succeed(await c.run()).stdout;
      assert.match(line, new RegExp(`^[0-9a-f]+ ${text.replace(/[()]/g, "\\$&")} file=`));
    },
    { runcFails },
  );
}

for (const [nodes, text] of [
  ["1023", "set_mempolicy MPOL_BIND 1023: EINVAL (invalid argument), asked for by linux.memoryPolicy"],
  ["2000", "set_mempolicy MPOL_BIND 2000: EINVAL (invalid argument), asked for by linux.memoryPolicy"],
  ["3-1", "is no node and no range of nodes below 32768"],
] as const)
  policy(
    `nodes ${nodes} are refused`,
    async (c) => {
      c.configure((spec) => {
        spec.linux.memoryPolicy = { mode: "MPOL_BIND", nodes };
      });
      refuse(await c.create(), text);
    },
    { runcFails },
  );

policy.run();
