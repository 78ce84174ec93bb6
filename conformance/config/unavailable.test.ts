// What this host may not have: AppArmor, SELinux, resctrl. A container that asks for it is refused before
// anything is made, with a text that says what is missing and who asked.
import { existsSync, readFileSync } from "node:fs";
import { conformance, refuse } from "../harness.ts";
import type { Spec } from "../spec.ts";

const unavailable = conformance("unavailable");

const cases: { text: string; edit: (spec: Spec) => void; present: boolean; runcFails?: string }[] = [
  {
    text: "unable to apply apparmor profile: apparmor: config provided but apparmor not supported, asked for by process.apparmorProfile",
    edit: ({ process }) => {
      process.apparmorProfile = "some-profile";
    },
    present: existsSync("/sys/kernel/security/apparmor"),
    runcFails: "without securityfs runc 1.1.5 writes the profile and says EINVAL",
  },
  {
    text: "selinux label is specified in config, but selinux is disabled or not supported",
    edit: ({ process }) => {
      process.selinuxLabel = "system_u:system_r:container_t:s0";
    },
    present: existsSync("/sys/fs/selinux/enforce"),
  },
  {
    text: "mount label is specified in config, but selinux is disabled or not supported, asked for by linux.mountLabel",
    edit: ({ linux }) => {
      linux.mountLabel = "system_u:object_r:container_file_t:s0";
    },
    present: existsSync("/sys/fs/selinux/enforce"),
    runcFails: "runc gives the label to mount, which says EINVAL",
  },
  {
    text: "intelRdt is specified in config, but Intel RDT is not enabled",
    edit: ({ linux }) => {
      linux.intelRdt = { closID: "gold" };
    },
    present: / - resctrl /.test(readFileSync("/proc/self/mountinfo", "utf8")),
  },
];

for (const { text, edit, present, runcFails } of cases) {
  unavailable(
    text,
    async (c) => {
      if (present) return console.log(`skip: unavailable: ${text}: this host has it`);
      c.configure(edit);
      refuse(await c.create(), text);
      if (existsSync(`${c.root}/${c.id}`)) throw new Error("a state directory was made");
    },
    runcFails === undefined ? {} : { runcFails },
  );
}

unavailable.run();
