// A NUL ends a string for the kernel and not for JSON: "safe\0../evil" must never be cut to "safe".
import { conformance, refuse } from "../harness.ts";
import type { Spec } from "../spec.ts";

const nul = conformance("NUL bytes");

const places: readonly [field: string, edit: (spec: Spec) => void, runcMayFail?: string][] = [
  ["process.args[0]", (spec) => Object.assign(spec.process, { args: ["true\0x"] })],
  ["process.args[1]", (spec) => Object.assign(spec.process, { args: ["true", "a\0b"] })],
  ["process.env", (spec) => spec.process.env?.push("A=b\0C=d")],
  ["process.cwd", (spec) => Object.assign(spec.process, { cwd: "/tmp\0/x" })],
  ["root.path", (spec) => Object.assign(spec.root, { path: "rootfs\0x" })],
  [
    "hostname",
    (spec) => Object.assign(spec, { hostname: "host\0x" }),
    "sethostname(2) takes a length, so runc 1.1.5 sets it",
  ],
  [
    "mounts.destination",
    (spec) => spec.mounts.push({ destination: "/mnt\0x", type: "tmpfs", source: "tmpfs" }),
  ],
  [
    "mounts.source",
    (spec) => spec.mounts.push({ destination: "/mnt", type: "bind", source: "/usr\0x", options: ["bind"] }),
  ],
  [
    "mounts.options",
    (spec) => spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "x", options: ["size=1m\0x"] }),
  ],
  ["mounts.type", (spec) => spec.mounts.push({ destination: "/mnt", type: "tmpfs\0x", source: "tmpfs" })],
  ["linux.cgroupsPath", (spec) => Object.assign(spec.linux, { cgroupsPath: "/conf\0x" })],
  ["linux.maskedPaths", (spec) => spec.linux.maskedPaths?.push("/etc\0x")],
  ["linux.readonlyPaths", (spec) => spec.linux.readonlyPaths?.push("/etc\0x")],
  [
    "linux.sysctl value",
    (spec) => Object.assign(spec.linux, { sysctl: { "net.ipv4.ip_forward": "1\0x" } }),
    "the kernel reads the number before the NUL",
  ],
  [
    "linux.namespaces.path",
    (spec) => spec.linux.namespaces.splice(1, 1, { type: "network", path: "/proc/1/ns/net\0x" }),
  ],
  [
    "linux.devices.path",
    (spec) => Object.assign(spec.linux, { devices: [{ path: "/dev/x\0y", type: "c", major: 1, minor: 3 }] }),
  ],
  ["hooks.path", (spec) => Object.assign(spec, { hooks: { createRuntime: [{ path: "/bin/true\0x" }] } })],
  [
    "hooks.args",
    (spec) =>
      Object.assign(spec, { hooks: { createRuntime: [{ path: "/bin/true", args: ["true", "a\0b"] }] } }),
  ],
];

for (const [field, edit, runcMayFail] of places)
  nul(
    `${field} is refused`,
    async (c) => {
      c.configure((spec) => {
        spec.root.readonly = false;
        edit(spec);
      });
      // Some are found by create, some only when the process is to be run.
      refuse(await c.run());
    },
    runcMayFail ? { runcMayFail } : {},
  );

nul.run();
