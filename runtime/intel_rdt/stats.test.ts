// The mount point of resctrl is a directory made for the test, as few machines have one.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  join,
  makeDirectories,
  makeTemporary,
  parentOf,
  removeTree,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { stringifyJson } from "../config/json.ts";
import { readRdtStats } from "./stats.ts";

const rdt = suite("readRdtStats");

function withFiles(files: Readonly<Record<string, string>>, body: (root: HostPath) => void): void {
  const root = makeTemporary("resctrl-") as HostPath;
  try {
    for (const [path, text] of Object.entries(files)) {
      makeDirectories(join(root, parentOf(path)));
      writeFile(join(root, path), text);
    }
    body(root);
  } finally {
    removeTree(root);
  }
}

const schemata = {
  schemata: "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n",
  "c1/schemata": "    MB:0=20;1=100\n    L3:0=ff;1=c0\n",
};

rdt("a machine that can neither partition nor monitor has its schemata", () => {
  withFiles(schemata, (root) =>
    assert.equal(readRdtStats(root, `${root}/c1` as HostPath, undefined), {
      schemata: ["MB:0=20;1=100", "    L3:0=ff;1=c0"],
    }),
  );
});

const l3 = {
  "info/L3/cbm_mask": "fffff\n",
  "info/L3/min_cbm_bits": "1\n",
  "info/L3/num_closids": "16\n",
};
const mb = {
  "info/MB/bandwidth_gran": "10\n",
  "info/MB/delay_linear": "1\n",
  "info/MB/min_bandwidth": "10\n",
  "info/MB/num_closids": "8\n",
};

rdt("cache and bandwidth in runc's words and order, what is 0 left out", () => {
  withFiles({ ...schemata, ...l3, ...mb, "info/MB/delay_linear": "0\n" }, (root) =>
    assert.is(
      stringifyJson(readRdtStats(root, `${root}/c1` as HostPath, undefined)),
      `{"l3_cache_info":{"cbm_mask":"fffff","min_cbm_bits":1,"num_closids":16},` +
        `"l3_cache_schema_root":"L3:0=fffff;1=fffff","l3_cache_schema":"L3:0=ff;1=c0",` +
        `"mem_bw_info":{"bandwidth_gran":10,"min_bandwidth":10,"num_closids":8},` +
        `"mem_bw_schema_root":"MB:0=100;1=100","mem_bw_schema":"MB:0=20;1=100",` +
        `"schemata":["MB:0=20;1=100","    L3:0=ff;1=c0"]}`,
    ),
  );
});

const domain = (group: string, name: string, n: number) => ({
  [`${group}/mon_data/${name}/llc_occupancy`]: `${n}\n`,
  [`${group}/mon_data/${name}/mbm_total_bytes`]: `${n + 1}\n`,
  [`${group}/mon_data/${name}/mbm_local_bytes`]: `${n + 2}\n`,
});

rdt("monitoring: the container's own group before the one that it shares", () => {
  const files = {
    ...schemata,
    "info/L3_MON/mon_features": "llc_occupancy\nmbm_total_bytes\n",
    ...domain("c1", "mon_L3_00", 10),
    ...domain("c1/mon_groups/c1", "mon_L3_01", 40),
    ...domain("c1/mon_groups/c1", "mon_L3_00", 30),
  };
  withFiles(files, (root) => {
    const group = `${root}/c1` as HostPath;
    const shared = readRdtStats(root, group, undefined);
    assert.equal(shared.mbm_stats, [{ mbm_total_bytes: 11n, mbm_local_bytes: 0n }]);
    assert.equal(shared.cmt_stats, [{ llc_occupancy: 10n }]);
    const own = readRdtStats(root, group, `${group}/mon_groups/c1` as HostPath);
    assert.equal(own.cmt_stats, [{ llc_occupancy: 30n }, { llc_occupancy: 40n }]);
    assert.equal(Object.keys(own), ["schemata", "mbm_stats", "cmt_stats"]);
  });
});
rdt.run();
