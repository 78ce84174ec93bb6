// What the kernel lets a container have of its own: sysctls, names, masked and read-only paths, devices.
import { oracleSuite } from "./compare.ts";

oracleSuite("oracle: kernel settings", [
  {
    title: "sysctls of the network and ipc namespaces",
    edit: (spec) => {
      spec.linux.sysctl = {
        "net.ipv4.ip_forward": "1",
        "net.ipv4.ping_group_range": "0 1000",
        "net.core.somaxconn": "256",
        "kernel.shm_rmid_forced": "1",
        "kernel.msgmax": "4096",
        "fs.mqueue.msg_max": "20",
      };
    },
    shows: [
      { section: "sysctl", line: /^net\/ipv4\/ip_forward 1$/ },
      { section: "sysctl", line: /^fs\/mqueue\/msg_max 20$/ },
    ],
  },
  {
    title: "a sysctl of the uts namespace",
    edit: (spec) => {
      spec.linux.sysctl = { "kernel.domainname": "example.org" };
    },
    shows: [{ section: "names", line: /^example\.org$/ }],
  },
  {
    title: "hostname with capital letters and digits",
    edit: (spec) => {
      spec.hostname = "Host-42.example";
    },
    shows: [{ section: "names", line: /^Host-42\.example$/ }],
  },
  {
    title: "no hostname: the host's",
    edit: (spec) => {
      delete spec.hostname;
    },
  },
  {
    title: "nothing masked and nothing read-only",
    edit: (spec) => {
      spec.linux.maskedPaths = [];
      spec.linux.readonlyPaths = [];
    },
    shows: [{ section: "writable", line: /^\/proc\/sys\/kernel\/hostname writable$/ }],
  },
  {
    title: "masked: a file, a directory, a missing path and one in the image",
    edit: (spec) => {
      spec.linux.maskedPaths = ["/proc/version", "/sys/kernel", "/nonexistent", "/etc/group"];
    },
    shows: [{ section: "mountinfo", line: / \/null \/etc\/group / }],
  },
  {
    title: "read-only: a directory of the image, a file and a missing path",
    edit: (spec) => {
      spec.root.readonly = false;
      spec.linux.readonlyPaths = ["/etc", "/proc/sys", "/proc/version", "/nonexistent"];
    },
    shows: [{ section: "mountinfo", line: /\/rootfs\/etc \/etc ro/ }],
  },
  {
    title: "devices with modes and owners",
    edit: (spec) => {
      spec.linux.devices = [
        { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o660, uid: 1000, gid: 1001 },
        { path: "/dev/loop-x", type: "b", major: 7, minor: 9, fileMode: 0o600 },
        { path: "/dev/queue", type: "p", fileMode: 0o622 },
      ];
    },
    shows: [
      { section: "dev", line: /^\/dev\/fuse crw-rw---- 1000 1001 a:e5$/ },
      { section: "dev", line: /^\/dev\/queue prw--w--w- 0 0 / },
    ],
  },
]);
