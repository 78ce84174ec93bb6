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
import { readLsmFacts } from "./lsm.ts";

const test = suite("readLsmFacts");

/** A host's files, in a directory. */
function withHost(files: Readonly<Record<string, string>>, body: (root: string) => void): void {
  const root = makeTemporary("host-");
  for (const [name, text] of Object.entries(files)) {
    makeDirectories(parentOf(join(root, name)));
    writeFile(join(root, name), text);
  }
  try {
    body(root);
  } finally {
    removeTree(root);
  }
}

test("AppArmor that is switched on, though securityfs is not mounted here", () => {
  withHost({ "sys/module/apparmor/parameters/enabled": "Y\n" }, (root) =>
    assert.is(readLsmFacts(root).apparmor, true),
  );
});

test("AppArmor that is loaded but switched off", () => {
  const profiles = { "sys/kernel/security/apparmor/profiles": "" };
  withHost({ ...profiles, "sys/module/apparmor/parameters/enabled": "N\n" }, (root) =>
    assert.is(readLsmFacts(root).apparmor, false),
  );
});

test("a directory in the place of selinuxfs is not SELinux", () => {
  withHost({ "sys/fs/selinux/enforce": "1", "proc/self/attr/current": "u:r:t:s0\0" }, (root) =>
    assert.is(readLsmFacts(root).selinux, false),
  );
});

test("a host with neither", () => {
  withHost({}, (root) => assert.equal(readLsmFacts(root), { apparmor: false, selinux: false }));
});

test.run();
