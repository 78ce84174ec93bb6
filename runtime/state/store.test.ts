import { suite } from "uvu";
import * as assert from "uvu/assert";
import { S_IFREG } from "../../syscalls/constants/stat.ts";
import { close } from "../../syscalls/open.ts";
import { isType } from "../../syscalls/stat.ts";
import {
  exists,
  join,
  linkStatOf,
  makeDirectory,
  makeLink,
  makeTemporary,
  namesIn,
  parentOf,
  readText,
  removeTree,
  setLength,
  setMode,
  statOf,
  writeFile,
} from "../../syscalls/testing/files.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { RunnableSpec } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { isAlive } from "./init_pid.ts";
import {
  createStateDir,
  ensureRoot,
  isLocked,
  listIds,
  lock,
  openStateDir,
  readSavedConfig,
  readState,
  recordedPart,
  removeStateDir,
  type SavedState,
  type StateDir,
  tryOpenStateDir,
  unlock,
  writeSavedConfig,
  writeState,
} from "./store.ts";

const store = suite("store");

function inRoot(body: (root: HostPath) => void): void {
  const top = makeTemporary("store-");
  try {
    body(join(top, "root") as HostPath);
  } finally {
    removeTree(top);
  }
}

function withDir(body: (dir: StateDir, file: string) => void): void {
  inRoot((root) => {
    const dir = createStateDir(root, "c1");
    try {
      body(dir, join(root, "c1/state.json"));
    } finally {
      close(dir.fd);
    }
  });
}

const state = (more: Partial<SavedState> = {}): SavedState => ({
  id: "c1",
  bundle: "/bundle" as HostPath,
  rootfs: "/bundle/rootfs" as HostPath,
  created: "2026-01-02T03:04:05.000000000Z",
  init: { pid: 4711 as Pid, startTime: "123", bootId: "b" },
  cgroupPaths: { memory: "/sys/fs/cgroup/memory/c1" as HostPath },
  keyring: "_ses.c1",
  config: { ociVersion: "1.0.2" } as RunnableSpec,
  ...more,
});

const kindOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof RuntimeError ? error.kind : `${error}`;
  }
};

store("the configuration that was written is read, integers above 2^53 included", () => {
  withDir((dir, stateFile) => {
    const file = join(parentOf(stateFile), "config.json");
    const rlimits = [{ type: "RLIMIT_CORE", soft: 18446744073709551615n, hard: 18446744073709551615n }];
    const config = {
      ociVersion: "1.0.2",
      process: { cwd: "/", args: ["a"], rlimits },
    } as unknown as RunnableSpec;
    writeSavedConfig(dir, config);
    assert.equal(readSavedConfig(dir), config);
    assert.match(readText(file), '"soft":18446744073709551615');
    assert.is(statOf(file).mode & 0o7777, 0o600);
  });
});

store("it is replaced by rename: who has the old file keeps it whole, and nothing is left beside it", () => {
  withDir((dir, file) => {
    writeState(dir, state());
    const before = statOf(file).ino;
    writeState(dir, state({ created: "later" }));
    assert.is.not(statOf(file).ino, before);
    assert.is(readState(dir).created, "later");
    assert.equal(namesIn(parentOf(file)), ["state.json"]);
  });
});

store("of the configuration state.json has what most commands need", () => {
  withDir((dir, file) => {
    const needed = {
      ociVersion: "1.0.2",
      annotations: { a: "b" },
      hooks: { poststop: [{ path: "/bin/true" }] },
      linux: { namespaces: [{ type: "pid", path: "/proc/1/ns/pid" }] },
    };
    const config = { ...needed, linux: { ...needed.linux, maskedPaths: ["/a"] }, process: { cwd: "/" } };
    writeState(dir, state({ config: recordedPart(config as unknown as RunnableSpec) }));
    assert.equal(readState(dir).config, needed);
    assert.equal(recordedPart({ ociVersion: "1.0.2" } as RunnableSpec), { ociVersion: "1.0.2" });
    assert.is(
      kindOf(() => readSavedConfig(dir)),
      "not-found",
    );
    writeFile(join(parentOf(file), "config.json"), "{}");
    assert.is(
      kindOf(() => readSavedConfig(dir)),
      "invalid-argument",
    );
  });
});

store("a link in the place of state.json is neither written through nor read", () => {
  withDir((dir, file) => {
    const canary = join(dir.root, "canary");
    writeFile(canary, "untouched");
    makeLink(canary, file);
    assert.throws(() => readState(dir), /ELOOP/);
    writeState(dir, state());
    assert.is(readText(canary), "untouched");
    assert.ok(isType(linkStatOf(file), S_IFREG));
  });
});

store("without state.json there is no container", () => {
  withDir((dir) =>
    assert.is(
      kindOf(() => readState(dir)),
      "not-found",
    ),
  );
});

const text = (change: (value: Record<string, unknown>) => void): string => {
  const value = JSON.parse(JSON.stringify(state())) as Record<string, unknown>;
  change(value);
  return JSON.stringify(value);
};

for (const [title, content] of [
  ["empty", ""],
  ["cut short", '{"id":'],
  ["cut short later", JSON.stringify(state()).slice(0, -10)],
  ["not UTF-8", new Uint8Array([0xff, 0xfe, 0x00])],
  ["null", "null"],
  ["a number", "5"],
  ["a list", "[]"],
  ["an empty object", "{}"],
  ["nested too deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["another container's", text((s) => Object.assign(s, { id: "c2" }))],
  ["no rootfs", text((s) => delete s.rootfs)],
  ["a bundle that is no text", text((s) => Object.assign(s, { bundle: 1 }))],
  ["no init", text((s) => delete s.init)],
  ["init null", text((s) => Object.assign(s, { init: null }))],
  ["a pid that is text", text((s) => Object.assign(s, { init: { pid: "1", startTime: "1", bootId: "" } }))],
  [
    "a pid that is a fraction",
    text((s) => Object.assign(s, { init: { pid: 1.5, startTime: "1", bootId: "" } })),
  ],
  ["a pid above 2^53", text(() => {}).replace("4711", "18446744073709551615")],
  [
    "a start time that is a number",
    text((s) => Object.assign(s, { init: { pid: 2, startTime: 1, bootId: "" } })),
  ],
  ["no boot", text((s) => Object.assign(s, { init: { pid: 2, startTime: "1" } }))],
  ["cgroups that are a list of numbers", text((s) => Object.assign(s, { cgroupPaths: [1] }))],
  ["a relative cgroup", text((s) => Object.assign(s, { cgroupPaths: { memory: "../x" } }))],
  ["cgroups null", text((s) => Object.assign(s, { cgroupPaths: null }))],
  ["a unit of no bus", text((s) => Object.assign(s, { systemd: { name: "runc-c1.scope" } }))],
  ["a unit that is a number", text((s) => Object.assign(s, { systemd: 5 }))],
  ["config null", text((s) => Object.assign(s, { config: null }))],
  ["config without a version", text((s) => Object.assign(s, { config: {} }))],
  ["__proto__ in the place of the fields", `{"__proto__":${JSON.stringify(state())}}`],
] as const)
  store(`refuses, without a crash: ${title}`, () => {
    withDir((dir, file) => {
      writeFile(file, content);
      assert.throws(
        () => readState(dir),
        (error: unknown) =>
          error instanceof Error && !(error instanceof TypeError) && error.message.includes(file),
      );
    });
  });

store("refuses 100 MB without reading them all", () => {
  withDir((dir, file) => {
    writeFile(file, "");
    setLength(file, 100 << 20);
    assert.throws(() => readState(dir), saying("is larger than any state of a container"));
  });
});

store("a __proto__ in it stays a key and changes no object", () => {
  withDir((dir, file) => {
    writeFile(file, text(() => {}).replace("{", '{"__proto__":{"polluted":true},'));
    const saved = readState(dir) as unknown as Record<string, unknown>;
    assert.is(({} as Record<string, unknown>).polluted, undefined);
    assert.is(saved.polluted, undefined);
  });
});

for (const pid of [-1, 0, 1])
  store(`pid ${pid} is read, and never alive`, () => {
    withDir((dir) => {
      writeState(dir, state({ init: { pid: pid as Pid, startTime: "0", bootId: "" } }));
      assert.is(isAlive(readState(dir).init), false);
    });
  });

store("an id can be claimed once", () => {
  inRoot((root) => {
    close(createStateDir(root, "c1").fd);
    assert.is(
      kindOf(() => createStateDir(root, "c1")),
      "exists",
    );
    assert.is(statOf(root).mode & 0o7777, 0o700);
    assert.is(statOf(join(root, "c1")).mode & 0o7777 & ~0o022, 0o711);
    for (const id of ["..", "a/b", ""])
      assert.is(
        kindOf(() => createStateDir(root, id)),
        "invalid-argument",
      );
  });
});

store("what is not there is not found; what is no directory is not opened", () => {
  inRoot((root) => {
    assert.is(tryOpenStateDir(root, "none"), undefined);
    assert.is(
      kindOf(() => openStateDir(root, "none")),
      "not-found",
    );
    close(ensureRoot(root));
    makeLink("/etc", join(root, "link"));
    assert.throws(() => openStateDir(root, "link"), /ENOTDIR|ELOOP/);
    assert.is(
      kindOf(() => createStateDir(root, "link")),
      "exists",
    );
  });
});

store("a root that anybody may write to is refused", () => {
  inRoot((root) => {
    makeDirectory(root);
    setMode(root, 0o1777);
    assert.is(
      kindOf(() => createStateDir(root, "c1")),
      "safety",
    );
    assert.equal(namesIn(root), []);
  });
});

store("the lock keeps others out until its descriptor is closed", () => {
  withDir((dir) => {
    assert.is(isLocked(dir), false);
    lock(dir);
    const other = openStateDir(dir.root, "c1");
    assert.is(isLocked(other), true);
    assert.is(isLocked(dir), false, "the lock is this command's own");
    unlock(dir);
    assert.is(isLocked(other), false);
    lock(other);
    assert.is(isLocked(dir), true);
    close(other.fd);
    assert.is(isLocked(dir), false);
  });
});

store("removing takes everything, and can be done again", () => {
  withDir((dir) => {
    writeState(dir, state());
    writeFile(join(dir.root, "c1/left.over"), "");
    removeStateDir(dir);
    assert.not(exists(join(dir.root, "c1")));
    removeStateDir(dir);
    assert.equal(listIds(dir.root), []);
  });
});

store("the ids are the directories, in order", () => {
  inRoot((root) => {
    assert.is(listIds(root), undefined);
    for (const id of ["b", "a", "c"]) close(createStateDir(root, id).fd);
    writeFile(join(root, "file"), "");
    makeLink("a", join(root, "link"));
    assert.equal(listIds(root), ["a", "b", "c"]);
  });
});

store.run();
