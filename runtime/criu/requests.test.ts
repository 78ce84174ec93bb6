import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID } from "../../syscalls/constants/sched.ts";
import type { Fd, HostPath, Pid, SpecField } from "../../syscalls/types.ts";
import { parseCgroups } from "../proc/cgroup.ts";
import { type Dumped, type DumpOptions, dumpRequest } from "./dump_request.ts";
import { commonOptions, type Directories, requireKnown } from "./options.ts";
import { type Restored, type RestoreOptions, restoreRequest } from "./restore_request.ts";

const requests = suite("CRIU's requests");

const path = (text: string): HostPath => text as HostPath;
const images = { fd: 9 as Fd, path: path("/images") };
const directories: Directories = { images, work: undefined };
const withWork: Directories = { images, work: { fd: 11 as Fd, path: path("/work") } };

const options = {
  imagePath: path("/images"),
  tcpEstablished: false,
  extUnixSk: false,
  shellJob: false,
  fileLocks: false,
  autoDedup: false,
  lazyPages: false,
  manageCgroupsMode: "",
  emptyNs: [],
};

const asked: DumpOptions = {
  ...options,
  parentPath: "",
  leaveRunning: false,
  preDump: false,
  tcpSkipInFlight: false,
  linkRemap: false,
  statusFd: -1,
};

const dumped: Dumped = {
  pid: 4711 as Pid,
  rootfs: path("/bundle/rootfs"),
  freezer: undefined,
  external: [],
  mounts: [{ key: "/data", val: "/data" }],
};

requests("a plain dump: where, whom, and the network without its properties", () => {
  assert.equal(dumpRequest(asked, directories, dumped), {
    images_dir_fd: 4,
    work_dir_fd: undefined,
    log_level: 4,
    log_file: "dump.log",
    config_file: "/etc/criu/runc.conf",
    manage_cgroups: true,
    manage_cgroups_mode: 6,
    notify_scripts: true,
    orphan_pts_master: true,
    shell_job: false,
    ext_unix_sk: false,
    tcp_established: false,
    file_locks: false,
    empty_ns: CLONE_NEWNET,
    auto_dedup: false,
    lazy_pages: false,
    root: "/bundle/rootfs",
    pid: 4711,
    leave_running: false,
    tcp_skip_in_flight: false,
    link_remap: false,
    freeze_cgroup: undefined,
    external: [],
    ext_mnt: [{ key: "/data", val: "/data" }],
    ps: undefined,
  });
});

for (const [option, value, name, expected] of [
  ["leaveRunning", true, "leave_running", true],
  ["tcpEstablished", true, "tcp_established", true],
  ["tcpSkipInFlight", true, "tcp_skip_in_flight", true],
  ["linkRemap", true, "link_remap", true],
  ["extUnixSk", true, "ext_unix_sk", true],
  ["shellJob", true, "shell_job", true],
  ["fileLocks", true, "file_locks", true],
  ["autoDedup", true, "auto_dedup", true],
  ["lazyPages", true, "lazy_pages", true],
  ["manageCgroupsMode", "soft", "manage_cgroups_mode", 3],
  ["manageCgroupsMode", "full", "manage_cgroups_mode", 4],
  ["manageCgroupsMode", "strict", "manage_cgroups_mode", 5],
  ["manageCgroupsMode", "ignore", "manage_cgroups_mode", 0],
  ["parentPath", "../1", "parent_img", "../1"],
  ["parentPath", "../1", "track_mem", true],
  ["preDump", true, "ext_mnt", []],
  ["pageServer", { address: "::1", port: 27 }, "ps", { address: "::1", port: 27 }],
] as const)
  requests(`dump: ${option} ${JSON.stringify(value)} is ${name}`, () => {
    const request = dumpRequest({ ...asked, [option]: value }, directories, dumped);
    assert.equal(request[name], expected);
  });

requests("dump: the freezer, and namespaces that were there before, by their inodes", () => {
  const external = [
    { type: "network", inode: 4026531840n },
    { type: "pid", inode: 7n },
  ] as const;
  const request = dumpRequest(asked, directories, { ...dumped, freezer: path("/sys/fs/cgroup/c"), external });
  assert.is(request.freeze_cgroup, "/sys/fs/cgroup/c");
  assert.equal(request.external, ["net[4026531840]:extRootNetNS", "pid[7]:extRootPidNS"]);
});

requests("the configuration file of an annotation counts, and an empty one is none", () => {
  const fileOf = (annotations: Record<string, string>) =>
    commonOptions(options, directories, "l", annotations).config_file;
  assert.is(fileOf({ "org.criu.config": "/etc/mine.conf" }), "/etc/mine.conf");
  assert.is(fileOf({ "org.criu.config": "" }), undefined);
  assert.is(fileOf({ other: "" }), "/etc/criu/runc.conf");
});

requests("words that mean nothing are refused in runc's words", () => {
  const text = "invalid manage-cgroups-mode value";
  for (const manageCgroupsMode of ["hard", "SOFT", "constructor"])
    assert.throws(() => requireKnown({ ...options, manageCgroupsMode }), text);
  assert.throws(
    () => requireKnown({ ...options, emptyNs: ["network", "pid"] }),
    'namespace "pid" is not supported',
  );
  requireKnown({ ...options, emptyNs: ["network"], manageCgroupsMode: "soft" });
});

const restoring: RestoreOptions = { ...options, lsmProfile: "", lsmMountContext: "" };
const restored: Restored = {
  root: path("/run/c/criu-root"),
  join: [],
  cgroups: new Map(),
  mounts: [{ key: "/data", val: "/srv" }],
  descriptors: [],
};

requests("a plain restore is a sibling of criu, in the root that was made for it", () => {
  const request = restoreRequest(restoring, withWork, restored);
  assert.is(request.images_dir_fd, 4);
  assert.is(request.work_dir_fd, 5);
  assert.is(request.log_file, "restore.log");
  assert.is(request.root, "/run/c/criu-root");
  assert.is(request.rst_sibling, true);
  assert.is(request.evasive_devices, true);
  assert.equal(request.ext_mnt, [{ key: "/data", val: "/srv" }]);
  assert.is(request.lsm_profile, undefined);
});

requests("restore: cgroups are restored below criu's own, in each hierarchy", () => {
  const cgroups = parseCgroups("5:cpu,cpuacct:/c\n1:name=systemd:/a:b\n0::/c\n");
  assert.equal(restoreRequest(restoring, directories, { ...restored, cgroups }).cg_root, [
    { ctrl: "cpu", path: "/c" },
    { ctrl: "cpuacct", path: "/c" },
    { ctrl: "name=systemd", path: "/a:b" },
    { ctrl: "", path: "/c" },
  ]);
});

const join = (type: "network" | "pid" | "ipc" | "cgroup", flag: number) => ({
  type,
  flag,
  path: path(`/run/ns/${type}`),
  from: "" as SpecField,
});

requests(
  "restore: two kinds of namespace are handed over open, behind the directories, others joined",
  () => {
    const list = [join("network", CLONE_NEWNET), join("ipc", CLONE_NEWIPC), join("pid", CLONE_NEWPID)];
    const request = restoreRequest(restoring, withWork, { ...restored, join: list });
    assert.equal(request.inherit_fd, [
      { key: "extRootNetNS", fd: 6 },
      { key: "extRootPidNS", fd: 7 },
    ]);
    assert.equal(request.join_ns, [{ ns: "ipc", ns_file: "/run/ns/ipc" }]);
    const cgroup = [join("cgroup", CLONE_NEWCGROUP)];
    assert.throws(
      () => restoreRequest(restoring, directories, { ...restored, join: cgroup }),
      "Do not know how to handle namespace cgroup",
    );
  },
);

requests("restore: pipes of the caller's are replaced, standard input as well as others", () => {
  const descriptors = ["pipe:[17]", "/dev/null", "pipe:[18]"];
  assert.equal(restoreRequest(restoring, directories, { ...restored, descriptors }).inherit_fd, [
    { key: "pipe:[17]", fd: 0 },
    { key: "pipe:[18]", fd: 2 },
  ]);
});

requests("restore: another profile", () => {
  const request = restoreRequest(
    { ...restoring, lsmProfile: "apparmor:p", lsmMountContext: "c" },
    directories,
    restored,
  );
  assert.is(request.lsm_profile, "apparmor:p");
  assert.is(request.lsm_mount_context, "c");
});

requests.run();
