import { suite } from "uvu";
import * as assert from "uvu/assert";
import { knownMountOptions } from "../../config/mount_options.ts";
import {
  attributesOf,
  bindAttributes,
  filesystemFlags,
  lockedBindAttributes,
  parseMountOptions,
} from "./options.ts";

const parse = suite("parseMountOptions");

const nothing = {
  idmap: "no",
  copyUp: false,
  flags: 0,
  cleared: 0,
  recursiveSet: 0,
  recursiveClear: 0,
  propagation: [],
  data: [],
};

for (const [options, expected] of [
  [[], {}],
  [["defaults"], {}],
  [["nosuid", "noexec", "nodev", "ro"], { flags: 0xf }],
  [["ro", "rw"], { flags: 0, cleared: 1 }],
  [["rw", "ro"], { flags: 1, cleared: 0 }],
  [["suid"], { cleared: 2 }],
  [["rbind", "ro"], { flags: 0x5001 }],
  [["bind"], { flags: 0x1000 }],
  [["sync", "async"], { flags: 0, cleared: 0x10 }],
  [["nosymfollow"], { flags: 0x100 }],
  [["noatime", "nodiratime", "relatime", "strictatime"], { flags: 0x1200c00 }],
  [["lazytime", "iversion", "silent", "mand", "dirsync", "remount"], { flags: 0x28080e0 }],
  [["rprivate"], { propagation: [0x44000] }],
  [["shared", "rslave"], { propagation: [0x100000, 0x84000] }],
  [["unbindable", "runbindable", "private", "slave"], { propagation: [0x20000, 0x24000, 0x40000, 0x80000] }],
  [["rro"], { recursiveSet: 1 }],
  [["rro", "rrw"], { recursiveSet: 0, recursiveClear: 1 }],
  [["rrw", "rro"], { recursiveSet: 1, recursiveClear: 0 }],
  [["rnosuid", "rnodev", "rnoexec"], { recursiveSet: 0xe }],
  [["rnoatime"], { recursiveSet: 0x10, recursiveClear: 0x70 }],
  [["size=64k", "mode=1777"], { data: ["size=64k", "mode=1777"] }],
  [["mode=1", "", "mode=2"], { data: ["mode=1", "mode=2"] }],
  [["RO"], { data: ["RO"] }],
  [["constructor", "__proto__", "toString"], { data: ["constructor", "__proto__", "toString"] }],
] as const)
  parse(options.join(",") || "nothing", () => {
    assert.equal(parseMountOptions(options), { ...nothing, ...expected });
  });

parse("an access time of the whole tree: the last wins, and the field is cleared", () => {
  assert.equal(parseMountOptions(["rstrictatime", "rrelatime"]), { ...nothing, recursiveClear: 0x70 });
});

parse.run();

const attributes = suite("mount attributes");

for (const [flags, expected] of [
  [0, 0],
  [1, 1],
  [0xf, 0xf],
  [0x400, 0x10], // MS_NOATIME
  [0x1000000, 0x20], // MS_STRICTATIME
  [0x400 | 0x1000000, 0x20], // both: MS_STRICTATIME, as mount(2)
  [0x200000, 0], // MS_RELATIME is the default
  [0x800, 0x80], // MS_NODIRATIME
  [0x100, 0x200000], // MS_NOSYMFOLLOW
  [0x1000 | 0x4000 | 0x10, 0], // no attribute of a mount
] as const)
  attributes(`attributesOf 0x${flags.toString(16)}`, () => assert.is(attributesOf(flags), expected));

attributes("filesystemFlags: what goes to the file system, by its names", () => {
  assert.equal(filesystemFlags(1 | 2 | 0x10 | 0x40 | 0x80 | 0x2000000), [
    "ro",
    "sync",
    "dirsync",
    "mand",
    "lazytime",
  ]);
  assert.equal(filesystemFlags(0xe), []);
});

attributes("bindAttributes: without a word on flags the source's stay", () => {
  assert.is(bindAttributes(0x1000, 0), undefined);
  assert.is(bindAttributes(0x5000, 0), undefined);
});

const named = { mustClear: 0, atimeNamed: false };

attributes("bindAttributes: with one, exactly those named, but for the access time", () => {
  assert.equal(bindAttributes(0x1001, 0), { ...named, set: 1, clear: 0x20000e });
  assert.equal(bindAttributes(0x1000, 2), { ...named, set: 0, clear: 0x20000f, mustClear: 2 });
  // sync, or what is cleared of it, is a word on flags as well
  assert.equal(bindAttributes(0x1010, 0), { ...named, set: 0, clear: 0x20000f });
  assert.equal(bindAttributes(0x5000, 0x80), { ...named, set: 0, clear: 0x20000f, mustClear: 0x80 });
  // noatime cleared is no word on the access time
  assert.equal(bindAttributes(0x1000, 0x400), { ...named, set: 0, clear: 0x20000f, mustClear: 0x400 });
});

for (const [title, flags, set, clear] of [
  ["noatime", 0x400, 0x10, 0x2000ff],
  ["nodiratime", 0x800, 0x80, 0x20007f],
  ["relatime", 0x200000, 0, 0x2000ff],
  ["strictatime", 0x1000000, 0x20, 0x2000ff],
  ["noatime, strictatime", 0x1000400, 0x20, 0x2000ff],
] as const)
  attributes(`bindAttributes: an access time that is named sets all of it [${title}]`, () => {
    const asked = { mustClear: 0, atimeNamed: true, set, clear };
    assert.equal(bindAttributes(0x1000 | flags, 0), asked);
  });

const options = (text: string) => {
  const { flags, cleared } = parseMountOptions(["bind", ...text.split(",")]);
  const asked = bindAttributes(flags, cleared);
  assert.ok(asked);
  return asked;
};

for (const [given, present, set] of [
  ["ro", 0x2 | 0x10, 0x1 | 0x2 | 0x10],
  ["nosymfollow", 0x1 | 0x80, 0x200000 | 0x1 | 0x80],
  ["rw", 0x2 | 0x200000, 0x2],
  ["noatime", 0x1 | 0x10, 0x1 | 0x10],
  ["suid", 0x2, undefined],
  ["rw", 0x1, undefined],
  ["noatime", 0x1, undefined],
  ["relatime", 0x1 | 0x80, undefined],
  ["atime", 0x1 | 0x10, undefined],
  ["norelatime", 0x1, undefined],
] as const)
  attributes(`lockedBindAttributes: ${given} on 0x${present.toString(16)}`, () => {
    const possible = lockedBindAttributes(options(given), present);
    assert.is(possible?.set, set);
    if (set !== undefined) assert.is(possible?.clear, 0x2000ff & ~(set & 0x20008f));
  });

attributes("the options that `features` lists are sorted and all there", () => {
  const known = knownMountOptions();
  assert.equal(known, [...known].sort());
  for (const name of ["bind", "rbind", "ro", "rro", "rprivate", "nosymfollow", "unbindable", "strictatime"])
    assert.ok(known.includes(name), name);
});

attributes.run();
