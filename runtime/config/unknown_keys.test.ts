import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { exampleSpec } from "./example.ts";
import { parseJson, stringifyJson } from "./json.ts";
import { closestName, unknownKeys } from "./unknown_keys.ts";

const parse = (text: string) => parseJson(encodeUtf8(text), "config.json");

const unknown = suite("unknownKeys");

unknown("the example has none", () => {
  assert.equal(
    unknownKeys(parse(stringifyJson(exampleSpec({ rootless: true, euid: 1, egid: 1, cgroup2: false })))),
    [],
  );
});

unknown("each is named with its place and the nearest known name", () => {
  const text = `{"ociVerison": "1.3.0", "Hostname": "x", "annotations": {"anything": "goes"}, "vm": {"odd": 1},
    "mounts": [{"destination": "/a", "option": []}],
    "linux": {"maskedPath": [], "resources": {"oomScoreAdj": 1}, "zzz": {}},
    "process": {"__proto__": {}, "constructor": 1}}`;
  assert.equal(unknownKeys(parse(text)), [
    { field: "ociVerison", closest: "ociVersion" },
    { field: "Hostname", closest: "hostname" },
    { field: "mounts[0].option", closest: "options" },
    { field: "linux.maskedPath", closest: "maskedPaths" },
    { field: "linux.resources.oomScoreAdj" },
    { field: "linux.zzz" },
    { field: "process.__proto__" },
    { field: "process.constructor" },
  ]);
});

unknown.run();

const closest = suite("closestName");

for (const [given, name] of [
  ["memroy", "memory"],
  ["pcu", "cpu"],
  ["pdis", "pids"],
  ["MEMORY", "memory"],
  ["cpus", "cpu"],
  ["x", undefined],
  ["storage", undefined],
] as const)
  closest(`${given} is taken for ${name ?? "nothing"}`, () => {
    assert.is(closestName(given, ["memory", "cpu", "pids", "blockIO"]), name);
  });

closest.run();
