// config-linux.md "Devices" and "Default Devices", runtime-linux.md "Dev symbolic links".
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../harness.ts";
import { type Spec, withoutMounts } from "../spec.ts";
import { type Case, tableSuite } from "./table.ts";

type Device = NonNullable<Spec["linux"]["devices"]>[number];

const device = (title: string, given: Device, rest: Omit<Case, "title">): Case => ({
  title,
  script: `stat -c '%F %a %u:%g %t:%T' ${given.path}`,
  ...rest,
  edit: (spec, c) => {
    spec.linux.devices = [given];
    rest.edit?.(spec, c);
  },
});

const on = (path: string, type = "c"): Device => ({ path, type, major: 1, minor: 3 });
const inImage = (c: Fixture, path: string): string => join(c.rootfs, path);

/** The device nodes of a /dev that the image brings itself. */
const withoutDev = (spec: Spec): void => withoutMounts(spec, "/dev");

const suite = tableSuite("config: devices", [
  {
    title: "default devices are there with their numbers and modes",
    script: "cd /dev; stat -c '%n %F %a %u:%g %t:%T' null zero full random urandom tty",
    shows: [
      ...["null 1:3", "zero 1:5", "full 1:7", "random 1:8", "urandom 1:9", "tty 5:0"].map((each) => {
        const [name, number] = each.split(" ");
        return `${name} character special file 666 0:0 ${number}\n`;
      }),
    ],
  },
  {
    title: "links of /dev",
    script: "cd /dev; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done",
    shows: [
      "fd /proc/self/fd\nstdin /proc/self/fd/0\nstdout /proc/self/fd/1\nstderr /proc/self/fd/2\nptmx pts/ptmx\n",
    ],
  },
  device(
    "type c, with mode and owner",
    { ...on("/dev/c"), fileMode: 0o640, uid: 5, gid: 6 },
    {
      shows: ["character special file 640 5:6 1:3\n"],
    },
  ),
  device("type u is an unbuffered character device", on("/dev/u", "u"), {
    shows: ["character special file 666 0:0 1:3\n"],
  }),
  device(
    "type b",
    { ...on("/dev/b", "b"), major: 7, minor: 300 },
    {
      shows: ["block special file 666 0:0 7:12c\n"],
    },
  ),
  device(
    "type p needs no numbers",
    { path: "/dev/p", type: "p", fileMode: 0o600 },
    { shows: ["fifo 600 0:0 0:0\n"] },
  ),
  device("missing directories are made", on("/dev/a/b/c"), {
    shows: ["character special file 666 0:0 1:3\n"],
  }),
  device("the path may be outside /dev", on("/var/x/null"), {
    shows: ["character special file 666 0:0 1:3\n"],
  }),
  device("outside /dev links of the image are followed in the root", on("/run/x/null"), {
    edit: (_spec, c) => symlinkSync("/var", inImage(c, "run")),
    script: "stat -c %t:%T /var/x/null",
    shows: ["1:3\n"],
  }),
  device(
    "a configured device replaces the default of its path",
    { ...on("/dev/null"), fileMode: 0o600, uid: 7 },
    {
      shows: ["character special file 600 7:0 1:3\n"],
    },
  ),
  device("a file that is there and is another is an error", on("/dev/there"), {
    edit: (spec, c) => {
      withoutDev(spec);
      writeFileSync(inImage(c, "dev/there"), "");
    },
    refuses: "/dev/there exists in the root file system and is not the device that linux.devices[0] asks for",
  }),
  device("a link that is there is not followed", on("/dev/there"), {
    edit: (spec, c) => {
      withoutDev(spec);
      symlinkSync("/dev/null", inImage(c, "dev/there"));
    },
    refuses: "/dev/there exists in the root file system and is not the device that linux.devices[0] asks for",
  }),
  {
    title: "a mount in the place of a default device stays, as `docker run -v /dev/urandom:/dev/random` asks",
    edit: (spec, c) => {
      writeFileSync(join(c.dir, "terminal"), "a file\n");
      spec.mounts.push(
        { destination: "/dev/random", type: "bind", source: "/dev/urandom", options: ["bind"] },
        { destination: "/dev/tty", type: "bind", source: join(c.dir, "terminal"), options: ["bind"] },
      );
    },
    script: "stat -c %t:%T /dev/random; cat /dev/tty",
    shows: ["1:9\na file\n"],
  },
  device("a mount in the place of a configured device stays, as with runc", on("/dev/there"), {
    edit: (spec) => {
      spec.mounts.push({ destination: "/dev/there", type: "bind", source: "/dev/full", options: ["bind"] });
    },
    shows: ["1:7\n"],
  }),
  device("not so in the place of the null device, which is what others trust in", on("/dev/null"), {
    edit: (spec) => {
      spec.mounts.push({ destination: "/dev/null", type: "bind", source: "/dev/zero", options: ["bind"] });
    },
    refuses: "/dev/null exists in the root file system and is not the device that linux.devices[0] asks for",
  }),
  device("a mount that an image's link leads elsewhere takes no device's place", on("/dev/there"), {
    edit: (spec, c) => {
      withoutDev(spec);
      symlinkSync("/tmp/elsewhere", inImage(c, "dev/there"));
      spec.mounts.push({ destination: "/dev/there", type: "bind", source: "/dev/full", options: ["bind"] });
    },
    refuses: "/dev/there exists in the root file system and is not the device that linux.devices[0] asks for",
  }),
  device("the same device that is there already is kept", on("/dev/null"), {
    edit: withoutDev,
    script: "echo kept",
    shows: ["kept"],
  }),
  device("without the right to mknod the host's node is bound", on("/dev/null"), {
    faults: "mknodat:*:EPERM",
    script: "stat -c %t:%T /dev/null /dev/zero; grep -c ' /dev/null ' /proc/self/mountinfo",
    shows: ["1:3\n1:5\n1\n"],
  }),
  device("a device that the host does not have cannot be bound", on("/dev/nowhere"), {
    faults: "mknodat:*:EPERM",
    refuses: "open_tree /dev/nowhere: ENOENT (no such file or directory), asked for by linux.devices[0]",
  }),
  {
    title: "/dev as a link is refused (CVE-2026-41579)",
    edit: (spec, c) => {
      withoutDev(spec);
      rmSync(inImage(c, "dev"), { recursive: true });
      symlinkSync("/var", inImage(c, "dev"));
    },
    refuses: "/dev in the root file system leads through a symbolic link, which is refused here",
  },
  ...["/dev", "/dev/", "/./dev", "//dev"].map(
    (destination): Case => ({
      title: `a bind mount on /dev is left as it is [${destination}]`,
      edit: (spec, c) => {
        const source = join(c.dir, "dev");
        mkdirSync(source);
        writeFileSync(join(source, "only"), "");
        withoutDev(spec);
        spec.mounts.push({ destination, type: "bind", source, options: ["bind"] });
      },
      script: "echo /dev/*",
      shows: ["/dev/only\n"],
    }),
  ),
  {
    title: "/dev/ptmx of the image is replaced by the link to the container's devpts",
    edit: (spec, c) => {
      withoutDev(spec);
      writeFileSync(inImage(c, "dev/ptmx"), "decoy");
    },
    script: "readlink /dev/ptmx",
    shows: ["pts/ptmx\n"],
  },
  {
    title: "with a terminal the pty is on /dev/console, a devpts node",
    edit: (spec) => {
      spec.process.terminal = true;
    },
    script: "grep ' /dev/console ' /proc/self/mountinfo; test -t 0 && tty",
    shows: [/ \/0 \/dev\/console rw,.* - devpts/, "/dev/pts/0\n"],
  },
  {
    title: "with a terminal and no devpts the console cannot be made",
    edit: (spec) => {
      spec.process.terminal = true;
      withoutMounts(spec, "/dev/pts");
    },
    refuses: "open /dev/pts/ptmx: ENOENT (no such file or directory)",
  },
]);
suite.run();
