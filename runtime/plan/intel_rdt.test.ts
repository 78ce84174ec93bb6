import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planIntelRdt, schemaMatches } from "./intel_rdt.ts";

const plan = suite("planIntelRdt");

plan("without closID the group is the container's own", () => {
  assert.equal(planIntelRdt({}, "c1"), {
    group: "c1",
    mustExist: false,
    lines: [],
    monitoring: "",
    own: true,
    needsL3: false,
    needsMb: false,
  });
});

plan("closID alone must exist; / is the group at the top", () => {
  const gold = planIntelRdt({ closID: "gold" }, "c1");
  assert.equal([gold?.group, gold?.mustExist, gold?.own], ["gold", true, false]);
  assert.is(planIntelRdt({ closID: "/" }, "c1")?.group, "");
});

plan("l3CacheSchema, memBwSchema, then schemata", () => {
  const rdt = planIntelRdt(
    { closID: "g", schemata: ["L2:0=1", "L3:0=3"], memBwSchema: "MB:0=20", l3CacheSchema: "L3:0=f\n" },
    "c1",
  );
  assert.is(rdt?.mustExist, false);
  assert.equal(rdt?.lines, [
    { text: "L3:0=f", mustMatch: true },
    { text: "MB:0=20", mustMatch: true },
    { text: "L2:0=1", mustMatch: false },
    { text: "L3:0=3", mustMatch: false },
  ]);
});

plan("enableMonitoring makes a group of the container's id; the older two switches do nothing", () => {
  assert.is(planIntelRdt({ closID: "g", enableMonitoring: true }, "c1")?.monitoring, "c1");
  assert.is(planIntelRdt({ enableCMT: true, enableMBM: true }, "c1")?.monitoring, "");
});

plan("absent: resctrl is not touched", () => {
  assert.is(planIntelRdt(undefined, "c1"), undefined);
});

plan.run();

const matches = suite("schemaMatches");
const file = "    MB:0=100;1= 50\n    L3:0=000f;1=0ff0\n";

for (const [line, verdict] of [
  ["L3:0=f;1=ff0", true],
  ["L3:1=FF0", true],
  ["L3:0=f0", false],
  ["L3:2=f", false],
  ["MB:1=50", true],
  ["MB:1=5", false],
  ["L2:0=1", false],
  ["L3:", false],
] as const)
  matches(`${line} ${verdict ? "agrees" : "does not agree"}`, () => {
    assert.is(schemaMatches(line, file), verdict);
  });

matches.run();
