// Few machines have resctrl: the mount point is a directory made for the test, with files where the kernel has them.
// What cannot be shown this way is that making a directory makes its files, so the tests put them there.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  exists,
  join,
  makeDirectories,
  makeTemporary,
  readText,
  removeTree,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { LinuxIntelRdt } from "../config/types.ts";
import { findResctrl } from "../host/resctrl.ts";
import { type IntelRdtPlan, planIntelRdt } from "../plan/intel_rdt.ts";
import { parseMounts } from "../proc/mountinfo.ts";
import {
  createRdtGroups,
  joinRdtGroups,
  prepareRdt,
  readSchemata,
  removeRdtGroups,
  requireRdtFor,
  rewriteSchemata,
} from "./groups.ts";

const test = suite("intel_rdt");

function withResctrl(groups: Readonly<Record<string, string>>, body: (root: HostPath) => void): void {
  const root = makeTemporary("resctrl-") as HostPath;
  for (const dir of ["info/L3", "info/MB"]) makeDirectories(join(root, dir));
  writeFile(join(root, "info/last_cmd_status"), "ok\n");
  for (const [group, schemata] of Object.entries({ "": "L3:0=f;1=f\n", ...groups })) {
    makeDirectories(join(root, group, "mon_groups"));
    writeFile(join(root, group, "schemata"), schemata);
    writeFile(join(root, group, "tasks"), "");
  }
  try {
    body(root);
  } finally {
    removeTree(root);
  }
}

const plan = (rdt: LinuxIntelRdt): IntelRdtPlan => planIntelRdt(rdt, "c1") as IntelRdtPlan;
const refused = (act: () => unknown, text: string | RegExp): void =>
  assert.throws(act, (error: Error) =>
    typeof text === "string" ? error.message === text : text.test(error.message),
  );

test("the mount point is found wherever resctrl is mounted", () => {
  const line = "36 25 0:32 / /mnt/resctrl rw,relatime shared:9 - resctrl resctrl rw";
  assert.is(findResctrl(parseMounts(`25 1 8:1 / / rw - ext4 /dev/sda1 rw\n${line}\n`)), "/mnt/resctrl");
  assert.is(findResctrl(parseMounts("25 1 8:1 / / rw - ext4 /dev/sda1 rw\n")), undefined);
});

test("no resctrl: the configuration is refused, in runc's words", () => {
  refused(
    () => prepareRdt(plan({}), undefined),
    "intelRdt is specified in config, but Intel RDT is not enabled",
  );
});

test("a schema for hardware that is not there is refused", () => {
  withResctrl({}, (root) => {
    removeTree(join(root, "info/L3"));
    removeTree(join(root, "info/MB"));
    refused(
      () => prepareRdt(plan({ l3CacheSchema: "L3:0=f" }), root),
      "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled",
    );
    refused(
      () => prepareRdt(plan({ memBwSchema: "MB:0=10" }), root),
      "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled",
    );
  });
});

test("without closID a group of the container's id is made, and goes with it", () => {
  withResctrl({}, (root) => {
    const groups = prepareRdt(plan({}), root);
    assert.equal(groups.remove, [`${root}/c1`]);
    createRdtGroups(plan({}), groups);
    assert.ok(exists(`${root}/c1`));
    removeRdtGroups(groups.remove);
    assert.not(exists(`${root}/c1`));
    removeRdtGroups(groups.remove); // a delete that is done again
  });
});

test("a group of that name that was there before is used, and stays", () => {
  withResctrl({ c1: "L3:0=f\n" }, (root) => assert.equal(prepareRdt(plan({}), root).remove, []));
});

test("a closID stays, be it made by this runtime or not", () => {
  withResctrl({ gold: "L3:0=f\n" }, (root) => {
    assert.equal(prepareRdt(plan({ closID: "gold" }), root).remove, []);
    assert.equal(prepareRdt(plan({ closID: "new", schemata: ["L3:0=1"] }), root).remove, []);
  });
});

test("a closID without any schema must exist", () => {
  withResctrl({}, (root) =>
    refused(
      () => prepareRdt(plan({ closID: "gold" }), root),
      `intelRdt.closID: ${root}/gold does not exist (must be pre-created when schemata, l3CacheSchema and memBwSchema are empty)`,
    ),
  );
});

test("an existing closID is compared with l3CacheSchema and not written", () => {
  withResctrl({ gold: "L3:0=00f0;1=0f\n" }, (root) => {
    const same = plan({ closID: "gold", l3CacheSchema: "L3:0=f0" });
    createRdtGroups(same, prepareRdt(same, root));
    assert.is(readText(`${root}/gold/schemata`), "L3:0=00f0;1=0f\n");
    const other = plan({ closID: "gold", l3CacheSchema: "L3:0=ff" });
    refused(
      () => createRdtGroups(other, prepareRdt(other, root)),
      `intelRdt: "L3:0=ff" does not match the schemata of the existing group ${root}/gold`,
    );
  });
});

test("schemata are written also to an existing closID", () => {
  withResctrl({ gold: "" }, (root) => {
    const lines = plan({ closID: "gold", schemata: ["L3:0=3"] });
    createRdtGroups(lines, prepareRdt(lines, root));
    assert.is(readText(`${root}/gold/schemata`), "L3:0=3\n");
  });
});

test("the process is put into the group and the monitoring group; / is the default group", () => {
  withResctrl({ "mon_groups/c1": "" }, (root) => {
    const rdt = plan({ closID: "/", enableMonitoring: true });
    refused(
      () => prepareRdt(rdt, root),
      /^make monitoring group .*mon_groups\/c1: EEXIST .*linux\.intelRdt$/,
    );
    const monitoring = `${root}/mon_groups/c1` as HostPath;
    joinRdtGroups({ join: [root, monitoring] }, 42 as Pid);
    assert.is(readText(`${root}/tasks`), "42");
    assert.is(readText(`${monitoring}/tasks`), "42");
  });
});

test("a monitoring group is made below the closID, and removed before the group that holds it", () => {
  withResctrl({ gold: "" }, (root) => {
    const rdt = plan({ closID: "gold", enableMonitoring: true });
    const groups = prepareRdt(rdt, root);
    assert.equal(groups.remove, [`${root}/gold/mon_groups/c1`]);
    createRdtGroups(rdt, groups);
    assert.ok(exists(`${root}/gold/mon_groups/c1`));
    assert.equal(prepareRdt(plan({ enableMonitoring: true }), root).remove, [
      `${root}/c1/mon_groups/c1`,
      `${root}/c1`,
    ]);
  });
});

test("a failure says what resctrl has to say about it", () => {
  withResctrl({}, (root) => {
    writeFile(`${root}/info/last_cmd_status`, "out of CLOSIDs\n");
    const groups = {
      root,
      group: `${root}/no/where` as HostPath,
      monitoring: undefined,
      join: [],
      remove: [],
    };
    refused(
      () => createRdtGroups(plan({}), groups),
      `mkdir ${root}/no/where: ENOENT (no such file or directory), asked for by linux.intelRdt (out of CLOSIDs)`,
    );
  });
});

test("schemas of an update are refused in runc's words where the hardware cannot", () => {
  const l3 = { l3CacheSchema: "L3:0=f", memBwSchema: "" };
  const mb = { l3CacheSchema: "", memBwSchema: "MB:0=10" };
  const noCache = "Intel RDT/CAT: l3 cache schema is not enabled";
  const noBandwidth = "Intel RDT/MBA: memory bandwidth schema is not enabled";
  refused(() => requireRdtFor(l3, undefined), noCache);
  refused(() => requireRdtFor(mb, undefined), noBandwidth);
  withResctrl({}, (root) => {
    assert.is(requireRdtFor({ ...l3, ...mb }, root), root);
    removeTree(join(root, "info/L3"));
    refused(() => requireRdtFor(l3, root), noCache);
    assert.is(requireRdtFor(mb, root), root);
    removeTree(join(root, "info/MB"));
    refused(() => requireRdtFor(mb, root), noBandwidth);
  });
});

test("an update writes the schemata of the group", () => {
  withResctrl({ c1: "L3:0=f;1=f\n" }, (root) => {
    const group = `${root}/c1` as HostPath;
    assert.equal(readSchemata(group), ["L3:0=f;1=f"]);
    rewriteSchemata(root, group, ["L3:0=3;1=f"]);
    assert.equal(readSchemata(group), ["L3:0=3;1=f"]);
    refused(() => rewriteSchemata(root, `${root}/gone` as HostPath, ["L3:0=1"]), /ENOENT.*linux\.intelRdt/);
  });
});

test.run();
