// This machine need not have any security module: the procfs is a directory made for the test.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import {
  exists,
  join,
  makeDirectories,
  makeLink,
  makeTemporary,
  readText,
  removeTree,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { Fd } from "../../syscalls/types.ts";
import { labelNextExec, labelRoot, withKeyLabel } from "./labels.ts";

const test = suite("labelNextExec");

function withProcfs(
  files: readonly string[],
  body: (procfs: Fd, read: (name: string) => string) => void,
): void {
  const top = makeTemporary("procfs-");
  const own = join(top, "4711");
  makeLink("4711", join(top, "self"));
  makeDirectories(join(own, "attr/apparmor"));
  for (const name of files) writeFile(join(own, name), "");
  const procfs = openat(CWD, top, O_RDONLY | O_DIRECTORY);
  try {
    body(procfs, (name) => readText(join(own, name)));
  } finally {
    close(procfs);
    removeTree(top);
  }
}

const labels = { apparmorProfile: "", processLabel: "", mountLabel: "" };

test("an AppArmor profile goes to AppArmor's own file where there is one", () => {
  withProcfs(["attr/apparmor/exec", "attr/exec"], (procfs, read) => {
    labelNextExec(procfs, { ...labels, apparmorProfile: "docker-default" });
    assert.is(read("attr/apparmor/exec"), "exec docker-default");
    assert.is(read("attr/exec"), "");
  });
});

test("and to the common one on a kernel before 5.8", () => {
  withProcfs(["attr/exec"], (procfs, read) => {
    labelNextExec(procfs, { ...labels, apparmorProfile: "p//child" });
    assert.is(read("attr/exec"), "exec p//child");
  });
});

test("an SELinux label goes to the common file as it is", () => {
  withProcfs(["attr/exec"], (procfs, read) => {
    labelNextExec(procfs, { ...labels, processLabel: "system_u:system_r:container_t:s0:c1,c2" });
    assert.is(read("attr/exec"), "system_u:system_r:container_t:s0:c1,c2");
  });
});

test("with no label nothing is opened", () => {
  withProcfs([], (procfs) => labelNextExec(procfs, labels));
});

test("a link in the way is not followed (CVE-2025-52881)", () => {
  withProcfs(["other"], (procfs, read) => {
    makeLink("../other", `/proc/self/fd/${procfs}/4711/attr/exec`);
    const act = () => labelNextExec(procfs, { ...labels, processLabel: "l" });
    assert.throws(act, /^set process label l: ELOOP \(.*\), asked for by process\.selinuxLabel$/);
    assert.is(read("other"), "");
  });
});

test("a profile that the kernel refuses is named", () => {
  withProcfs([], (procfs) => {
    const act = () => labelNextExec(procfs, { ...labels, apparmorProfile: "gone" });
    assert.throws(act, /^apply apparmor profile gone: ENOENT \(.*\), asked for by process\.apparmorProfile$/);
  });
});

/** Whether the kernel that this runs on takes labels of SELinux. */
const selinux = exists("/sys/fs/selinux/enforce");

if (selinux) {
  console.log("skip: labelNextExec: without SELinux: this host has it");
  test.skip("without SELinux a label for keys and for a file system is refused by the kernel", () => {});
} else
  test("without SELinux a label for keys and for a file system is refused by the kernel", () => {
    assert.throws(
      () => withKeyLabel("u:r:t:s0", () => {}),
      /^set key label: (ENOENT \(no such file or directory\)|EINVAL \(invalid argument\)), asked for by process\.selinuxLabel$/,
    );
    const directory = openat(CWD, "/proc/self", O_RDONLY | O_DIRECTORY);
    try {
      assert.throws(
        () => labelRoot(directory, "u:r:t:s0"),
        /^label mqueue u:r:t:s0: (EPERM \(operation not permitted\)|EOPNOTSUPP \(operation not supported\)), asked for by linux\.mountLabel$/,
      );
    } finally {
      close(directory);
    }
  });

test.run();
