import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ContainerPath, HostPath, SpecField } from "../../syscalls/types.ts";
import type { Spec } from "../config/types.ts";
import { asksForLsm, labelMounts, planLsm } from "./lsm.ts";
import { planMounts } from "./mounts/mounts.ts";

const spec = (process: object, linux: object = {}): Spec =>
  ({
    ociVersion: "1.3.0",
    root: { path: "r" },
    process: { cwd: "/", args: ["x"], ...process },
    linux,
  }) as Spec;
const both = { apparmor: true, selinux: true };
const none = { apparmor: false, selinux: false };

const plan = suite("planLsm");

plan("what is asked for is planned where the host has it", () => {
  const asked = spec({ apparmorProfile: "p", selinuxLabel: "u:r:t:s0" }, { mountLabel: "u:r:f:s0" });
  assert.is(asksForLsm(asked), true);
  assert.equal(planLsm(asked, both), {
    apparmorProfile: "p",
    processLabel: "u:r:t:s0",
    mountLabel: "u:r:f:s0",
  });
});

plan("nothing asked for, or only empty strings: no host is needed", () => {
  const empty = spec({ apparmorProfile: "", selinuxLabel: "" }, { mountLabel: "" });
  assert.is(asksForLsm(empty), false);
  assert.equal(planLsm(empty, none), { apparmorProfile: "", processLabel: "", mountLabel: "" });
});

const disabled = "is specified in config, but selinux is disabled or not supported, asked for by";
for (const [asked, text] of [
  [
    spec({ apparmorProfile: "p" }),
    "unable to apply apparmor profile: apparmor: config provided but apparmor not supported, asked for by process.apparmorProfile",
  ],
  [spec({ selinuxLabel: "l" }), `selinux label ${disabled} process.selinuxLabel`],
  [spec({}, { mountLabel: "l" }), `mount label ${disabled} linux.mountLabel`],
] as const)
  plan(`without the module: ${text}`, () => {
    assert.throws(
      () => planLsm(asked, none),
      (error: Error) => error.message === text,
    );
  });

plan.run();

const labels = suite("labelMounts");

const steps = planMounts(
  [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/sys", type: "sysfs", source: "sysfs" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts" },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue" },
    { destination: "/data", type: "bind", source: "/srv", options: ["rbind"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" },
  ],
  { bundle: "/b" as HostPath, rootfs: "/b/rootfs" as HostPath, userns: undefined },
  () => {},
);

labels("the context goes to new file systems, to a queue's root, and to no bind mount, proc or sysfs", () => {
  const context = labelMounts(steps, "u:r:f:s0").map((step) => {
    if (step.kind === "filesystem")
      return step.rootLabel ?? step.options.find(({ key }) => key === "context")?.value ?? "";
    return step.kind === "cgroup" ? step.context : "";
  });
  assert.equal(context, ["", "", "u:r:f:s0", "u:r:f:s0", "u:r:f:s0", "", "u:r:f:s0"]);
});

labels("the context comes after the options of the configuration", () => {
  const dev = labelMounts(steps, "l").find((step) => step.destination === ("/dev" as ContainerPath));
  assert.equal(dev?.kind === "filesystem" && dev.options.at(-1), { key: "context", value: "l" });
  assert.is(dev?.from, "mounts[2]" as SpecField);
});

labels("without a label the mounts are the same", () => {
  assert.is(labelMounts(steps, ""), steps);
});

labels.run();
