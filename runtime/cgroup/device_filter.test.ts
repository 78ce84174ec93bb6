// vm
/** Device programs against the kernel, on a cgroup of the unified hierarchy that a hybrid host has as well. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, progQuery, tryProgAttach } from "../../syscalls/bpf.ts";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { makeTemporary, removeTree } from "../../syscalls/testing/files.ts";
import { run } from "../../syscalls/testing/programs.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import type { LinuxDeviceCgroup } from "../config/types.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { planDeviceProgram } from "../plan/cgroup/device_program.ts";
import { emulateDeviceRules } from "../plan/cgroup/device_rules.ts";
import { attachDeviceProgram, loadDeviceProgram } from "./device_filter.ts";
import { makeDirectories, removeDirectories } from "./directory.ts";

const unified = detectCgroups().hierarchies.find(({ controllers }) => controllers[0] === "");
const able = geteuid() === 0 && unified !== undefined;
const filter = suite("device_filter");
let count = 0;

/** A test with a cgroup of its own. */
function withCgroup(title: string, body: (cgroup: HostPath, directory: Fd) => void): void {
  if (!able) console.log(`skip: ${title}: not root, or no cgroup2 file system`);
  (able ? filter : filter.skip)(title, () => {
    const cgroup = `${unified?.mountPoint}/runt-devices-${getpid()}-${count++}` as HostPath;
    makeDirectories(cgroup, []);
    const directory = openat(CWD, cgroup, O_RDONLY | O_DIRECTORY);
    try {
      body(cgroup, directory);
    } finally {
      close(directory);
      removeDirectories([cgroup]);
    }
  });
}

/** Exit status of a shell script that runs in the cgroup. */
function runIn(cgroup: HostPath, script: string): boolean {
  const inside = `echo 0 >${cgroup}/cgroup.procs && ${script}`;
  return run(["/bin/sh", "-c", inside]).status === 0;
}

const deny = { allow: false, access: "rwm" } as const;
const node = (allow: boolean, minor: number, access: string): LinuxDeviceCgroup => ({
  allow,
  type: "c",
  major: 1,
  minor,
  access,
});
const apply = (cgroup: HostPath, rules: readonly LinuxDeviceCgroup[]) =>
  attachDeviceProgram(cgroup, planDeviceProgram(emulateDeviceRules(rules)));

withCgroup("what is not allowed cannot be opened nor made; what is can", (cgroup) => {
  const dir = makeTemporary("devices-");
  try {
    assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
    apply(cgroup, [deny, { allow: true, type: "c", major: 1, minor: 11, access: "r" }]);
    assert.ok(runIn(cgroup, "exec 3</dev/null && exec 3>/dev/null && exec 3</dev/urandom"));
    assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
    assert.not(runIn(cgroup, "exec 3>/dev/kmsg"));
    assert.not(runIn(cgroup, "exec 3<>/dev/kmsg"));
    assert.ok(runIn(cgroup, `mknod ${dir}/zero c 1 5 && exec 3<${dir}/zero`));
    assert.ok(runIn(cgroup, `mknod ${dir}/kmem c 1 2`)); // mknod of anything is allowed, opening it is not
    assert.not(runIn(cgroup, `exec 3<${dir}/kmem`));
  } finally {
    removeTree(dir);
  }
});

withCgroup("where all is allowed, a denied write is denied for reading and writing at once too", (cgroup) => {
  apply(cgroup, [{ allow: true, access: "rwm" }, node(false, 11, "w")]);
  assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
  assert.not(runIn(cgroup, "exec 3<>/dev/kmsg"));
});

withCgroup("new rules take the place of the old ones", (cgroup, directory) => {
  const programs = () => progQuery(directory, BPF_CGROUP_DEVICE, cgroup);
  apply(cgroup, [deny]);
  assert.not(runIn(cgroup, "exec 3</dev/kmsg"));
  const [first] = programs();
  apply(cgroup, [deny, node(true, 11, "r")]);
  assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
  assert.is(programs().length, 1);
  assert.is.not(programs()[0], first);
});

withCgroup("several old programs, which only together allow something, all go", (cgroup, directory) => {
  for (const rules of [[deny], [deny, node(true, 11, "r")]]) {
    const fd = loadDeviceProgram(planDeviceProgram(emulateDeviceRules(rules)).bytes, cgroup);
    assert.is(tryProgAttach(directory, fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
    close(fd);
  }
  assert.not(runIn(cgroup, "exec 3</dev/kmsg"));
  apply(cgroup, [deny, node(true, 11, "r")]);
  assert.is(progQuery(directory, BPF_CGROUP_DEVICE, cgroup).length, 1);
  assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
});

withCgroup("rules that allow everything need no program, but replace one", (cgroup, directory) => {
  apply(cgroup, [{ allow: true, access: "rwm" }]);
  assert.is(progQuery(directory, BPF_CGROUP_DEVICE, cgroup).length, 0);
  apply(cgroup, [deny]);
  apply(cgroup, [{ allow: true, access: "rwm" }]);
  assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
});

withCgroup("a thousand rules are no problem", (cgroup) => {
  const many = Array.from({ length: 1000 }, (_, i) => ({
    allow: true,
    type: "c" as const,
    major: 100 + (i % 50),
    minor: i,
    access: "rw",
  }));
  apply(cgroup, [deny, ...many, node(true, 11, "r")]);
  assert.ok(runIn(cgroup, "exec 3</dev/kmsg"));
  assert.not(runIn(cgroup, "exec 3>/dev/kmsg"));
});

withCgroup("a refused program's error has the verifier's words", (cgroup) => {
  const endless = new Uint8Array([0x05, 0, 0xff, 0xff, 0, 0, 0, 0]); // jumps to itself
  assert.throws(
    () => loadDeviceProgram(endless, cgroup),
    (error: Error) =>
      error.message.startsWith(`bpf BPF_PROG_LOAD device rules of ${cgroup}: EINVAL `) &&
      /\(the verifier says: .+\)$/.test(error.message),
  );
});

filter.run();
