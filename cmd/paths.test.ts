import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chdir, getcwd } from "../syscalls/working_directory.ts";
import { absolute, optionalPath } from "./paths.ts";

const paths = suite("absolute");

for (const [given, expected] of [
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a//b/", "/a/b"],
  ["/a/./b/../c", "/a/c"],
  ["/../../a", "/a"],
  ["/a/..", "/"],
  ["/a/...", "/a/..."],
  ["/ä b/\n", "/ä b/\n"],
] as const)
  paths(JSON.stringify(given), () => assert.is(absolute(given), expected));

paths("what is relative counts from the working directory", () => {
  const before = getcwd();
  chdir("/proc");
  try {
    assert.is(absolute("."), "/proc");
    assert.is(absolute(""), "/proc");
    assert.is(absolute("self/../sys"), "/proc/sys");
    assert.is(absolute("../../etc"), "/etc");
  } finally {
    chdir(before);
  }
});

paths("an option that was not given, or is empty, gives nothing", () => {
  assert.equal(optionalPath("pidFile", undefined), {});
  assert.equal(optionalPath("pidFile", ""), {});
  assert.equal({ ...optionalPath("pidFile", "/run/x.pid") }, { pidFile: "/run/x.pid" });
});

paths.run();
