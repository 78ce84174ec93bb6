// config.md "Mounts" and "Linux mount options": the effect of every option name, id-mapped mounts, and the old
// mount API as the fallback.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../harness.ts";
import type { IDMapping, Mount } from "../spec.ts";
import { type Case, tableSuite, withoutMountApi } from "./table.ts";

/** A directory on the host with a file of uid and gid 1000 and one below another directory. */
function volume(c: Fixture): string {
  const dir = join(c.dir, "volume");
  mkdirSync(join(dir, "below"), { recursive: true });
  for (const name of ["file", "below/file"]) {
    writeFileSync(join(dir, name), "from the host\n");
    chownSync(join(dir, name), 1000, 1000);
  }
  return dir;
}

// On a host that shares its root, as systemd has it, a bind mount is a slave of where it comes from.
const MOUNTINFO = "grep ' /mnt' /proc/self/mountinfo | sed 's/ master:[0-9]*//'";

/** Mounts at /mnt; the source VOLUME is the directory above. */
const mounting = (title: string, mounts: readonly Partial<Mount>[], rest: Omit<Case, "title">): Case => ({
  title,
  script: MOUNTINFO,
  ...rest,
  edit: (spec, c) => {
    rest.edit?.(spec, c);
    for (const mount of mounts) {
      const source = mount.source?.replace("VOLUME", volume(c));
      spec.mounts.push({ destination: "/mnt", ...mount, ...(source === undefined ? {} : { source }) });
    }
  },
});

const tmpfs = (...options: string[]): Partial<Mount> => ({ type: "tmpfs", source: "tmpfs", options });
const bind = (...options: string[]): Partial<Mount> => ({
  type: "bind",
  source: "VOLUME",
  options: ["bind", ...options],
});

/** Each name, what it makes of a tmpfs (per-mount flags, then those of the file system) and of a bind mount. */
const options: readonly (readonly [given: string, onTmpfs: RegExp, onBind: RegExp])[] = [
  ["acl", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["noacl", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["async", /- tmpfs tmpfs rw/, /\/mnt rw,relatime -/],
  ["sync,async", /- tmpfs tmpfs rw(?!,sync)/, /\/mnt rw,relatime -/],
  ["sync", /- tmpfs tmpfs rw,sync/, /\/mnt rw,relatime -/],
  ["dirsync", /- tmpfs tmpfs rw,dirsync/, /\/mnt rw,relatime -/],
  ["lazytime", /- tmpfs tmpfs rw,lazytime/, /\/mnt rw,relatime -/],
  ["lazytime,nolazytime", /- tmpfs tmpfs rw(?!,lazytime)/, /\/mnt rw,relatime -/],
  ["mand,nomand", /- tmpfs tmpfs rw(?!,mand)/, /\/mnt rw,relatime -/],
  ["iversion", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["iversion,noiversion", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["silent", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["silent,loud", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  [
    "iversion,silent,acl,ro,nosuid,sync",
    /\/mnt ro,nosuid,relatime - tmpfs tmpfs rw,sync/,
    /\/mnt ro,nosuid,relatime -/,
  ],
  ["defaults", /\/mnt rw,relatime - tmpfs/, /\/mnt rw,relatime -/],
  ["ro", /\/mnt ro,relatime/, /\/mnt ro,relatime/],
  ["ro,rw", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["nosuid", /\/mnt rw,nosuid,/, /\/mnt rw,nosuid,/],
  ["nosuid,suid", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["nodev", /\/mnt rw,nodev,/, /\/mnt rw,nodev,/],
  ["nodev,dev", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["noexec", /\/mnt rw,noexec,/, /\/mnt rw,noexec,/],
  ["noexec,exec", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["noatime", /\/mnt rw,noatime/, /\/mnt rw,noatime/],
  ["noatime,atime", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["nodiratime", /\/mnt rw,nodiratime,relatime/, /\/mnt rw,nodiratime,relatime/],
  ["nodiratime,diratime", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["relatime", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["relatime,norelatime", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["strictatime", /\/mnt rw -/, /\/mnt rw -/],
  ["strictatime,nostrictatime", /\/mnt rw,relatime/, /\/mnt rw,relatime/],
  ["nosymfollow", /\/mnt rw,relatime,nosymfollow/, /\/mnt rw,relatime,nosymfollow/],
  ["nosymfollow,symfollow", /\/mnt rw,relatime -/, /\/mnt rw,relatime -/],
  ["private", /\/mnt rw,relatime -/, /\/mnt rw,relatime -/],
  ["shared", /\/mnt rw,relatime shared:\d+ -/, /\/mnt rw,relatime shared:\d+ -/],
  ["shared,slave", /\/mnt rw,relatime -/, /\/mnt rw,relatime -/],
  ["rshared", /\/mnt rw,relatime shared:\d+ -/, /\/mnt rw,relatime shared:\d+ -/],
  ["rslave", /\/mnt rw,relatime -/, /\/mnt rw,relatime -/],
  ["rprivate", /\/mnt rw,relatime -/, /\/mnt rw,relatime -/],
  ["unbindable", /\/mnt rw,relatime unbindable -/, /\/mnt rw,relatime unbindable -/],
  ["runbindable", /\/mnt rw,relatime unbindable -/, /\/mnt rw,relatime unbindable -/],
];

/** The recursive ones, on an rbind with a mount below that is rw,relatime: all of the tree changes. */
const recursive: readonly (readonly [given: string, onBoth: string])[] = [
  ["rro", "ro,relatime"],
  ["rro,rrw", "rw,relatime"],
  ["rnosuid", "rw,nosuid,relatime"],
  ["rnosuid,rsuid", "rw,relatime"],
  ["rnodev", "rw,nodev,relatime"],
  ["rnodev,rdev", "rw,relatime"],
  ["rnoexec", "rw,noexec,relatime"],
  ["rnoexec,rexec", "rw,relatime"],
  ["rnodiratime", "rw,nodiratime,relatime"],
  ["rnodiratime,rdiratime", "rw,relatime"],
  ["rnoatime", "rw,noatime"],
  ["rnoatime,ratime", "rw,relatime"],
  ["rrelatime", "rw,relatime"],
  ["rnorelatime", "rw,relatime"],
  ["rstrictatime", "rw"],
  ["rstrictatime,rnostrictatime", "rw,relatime"],
  ["rnosymfollow", "rw,relatime,nosymfollow"],
  ["rnosymfollow,rsymfollow", "rw,relatime"],
];

type Mode = readonly [
  title: string,
  destination: string,
  options: string[],
  mode: string,
  runcFails?: string,
];

/** The image has /tmp with 755, and no /fresh. */
const modes: readonly Mode[] = [
  ["without a mode, on a directory of the image", "/tmp", [], "755"],
  ["without a mode, on a directory made for it", "/fresh", [], "1777"],
  [
    "with a mode, on a directory of the image",
    "/tmp",
    ["mode=1700"],
    "1700",
    "runc 1.1 takes the directory's",
  ],
  ["with a mode, on a directory made for it", "/fresh", ["mode=1700"], "1700"],
];

const map = (hostID: number): Pick<Mount, "uidMappings" | "gidMappings"> => {
  const mappings: IDMapping[] = [{ containerID: 0, hostID, size: 65536 }];
  return { uidMappings: mappings, gidMappings: mappings };
};

const suite = tableSuite("config: mounts", [
  ...options.flatMap(([given, onTmpfs, onBind]) => [
    mounting(`a mount option has its effect [tmpfs, ${given}]`, [tmpfs(...given.split(","))], {
      shows: [onTmpfs],
    }),
    mounting(`a mount option has its effect [bind, ${given}]`, [bind(...given.split(","))], {
      shows: [onBind],
    }),
  ]),
  ...recursive.map(([given, flags]) =>
    mounting(
      `a recursive option is for the mount and all below it [${given}]`,
      [{ type: "bind", source: "VOLUME", options: ["rbind", ...given.split(",")] }],
      {
        prepare: (c) => `mount -t tmpfs below ${volume(c)}/below`,
        shows: [new RegExp(` /mnt ${flags} - `), new RegExp(` /mnt/below ${flags} - tmpfs below`)],
      },
    ),
  ),
  mounting(
    "an option that is not recursive is for the mount alone",
    [{ type: "bind", source: "VOLUME", options: ["rbind", "ro"] }],
    {
      prepare: (c) => `mount -t tmpfs below ${volume(c)}/below`,
      shows: [/ \/mnt ro,relatime/, / \/mnt\/below rw,relatime/],
    },
  ),
  mounting(
    "bind shows the directory without what is mounted below",
    [{ type: "bind", source: "VOLUME", options: ["bind"] }],
    { prepare: (c) => `mount -t tmpfs below ${volume(c)}/below`, hides: [/\/mnt\/below/] },
  ),
  mounting(
    "remount changes a mount that is there [tmpfs]",
    [tmpfs("size=1m"), tmpfs("remount", "ro", "size=2m")],
    {
      shows: [/\/mnt ro,relatime - tmpfs tmpfs ro,size=2048k/],
    },
  ),
  mounting(
    "remount changes a mount that is there [bind]",
    [bind("nosuid"), bind("remount", "ro", "noexec")],
    {
      shows: [/\/mnt ro,noexec,relatime/],
    },
  ),
  mounting("remount needs a mount", [tmpfs("remount")], {
    refuses: "remount /mnt: EINVAL (invalid argument), asked for by mounts[7] (is there a mount?)",
  }),
  mounting("remount through a link is refused", [{ ...tmpfs("remount", "ro"), destination: "/link" }], {
    edit: (_spec, c) => symlinkSync("/", join(c.rootfs, "link")),
    refuses: "/link in the root file system leads through a symbolic link, which is refused here",
  }),
  mounting("for bind mounts the type is a dummy, often none", [{ ...bind("ro"), type: "none" }], {
    shows: [/volume \/mnt ro/],
  }),
  mounting("the type may be missing for a bind mount", [{ source: "VOLUME", options: ["rbind"] }], {
    shows: [/volume \/mnt rw/],
  }),
  mounting("a type of none without bind is no file system", [{ type: "none", source: "none" }], {
    refuses: "mount none on /mnt: ENODEV (no such device), asked for by mounts[7]",
  }),
  mounting("a mount that is no bind mount has a type", [{ source: "x" }], {
    refuses: "mounts[7].type: a mount that is no bind mount needs a type",
  }),
  mounting("a bind mount has a source", [{ type: "bind", options: ["bind"] }], {
    refuses: "mounts[7].source: a bind mount needs a source",
  }),
  mounting("a bind mount has no data", [bind("size=1m", "ro")], {
    refuses:
      'mounts[7].options: bind mounts cannot have any filesystem-specific options applied: \\"size=1m\\"',
  }),
  mounting(
    "but the validation suite's is let pass [no type, size and mode]",
    [{ source: "VOLUME", options: ["size=1m", "mode=755", "bind"] }],
    { shows: [/volume \/mnt rw/] },
  ),
  mounting("an option that the file system does not know is its error", [tmpfs("nonsense")], {
    refuses:
      "mount tmpfs on /mnt: EINVAL (invalid argument), asked for by mounts[7] (tmpfs: Unknown parameter 'nonsense')",
  }),
  {
    title: "tmpcopyup: content, owners, modes and links of what is covered",
    edit: (spec, c) => {
      const dir = join(c.rootfs, "mnt");
      mkdirSync(join(dir, "below"));
      chmodSync(dir, 0o1751);
      writeFileSync(join(dir, "below/file"), "of the image");
      chmodSync(join(dir, "below/file"), 0o640);
      chownSync(join(dir, "below/file"), 7, 8);
      chownSync(dir, 5, 6);
      symlinkSync("below/file", join(dir, "link"));
      execFileSync("mkfifo", ["-m", "602", join(dir, "fifo")]);
      spec.mounts.push({ destination: "/mnt", ...tmpfs("tmpcopyup") });
      const capabilities = ["CAP_DAC_OVERRIDE"];
      spec.process.capabilities = {
        effective: capabilities,
        permitted: capabilities,
        bounding: capabilities,
      };
    },
    script: `cd /mnt; cat link; echo; stat -c '%n %F %a %u:%g' . below below/file link fifo; readlink link
      stat -f -c %T .; rm fifo; echo changed > link`,
    shows: [
      "of the image\n",
      ". directory 1751 5:6\nbelow directory 755 0:0\nbelow/file regular file 640 7:8\n",
      "link symbolic link 777 0:0\nfifo fifo 602 0:0\nbelow/file\ntmpfs\n",
    ],
    after: (c) => {
      const image = join(c.rootfs, "mnt");
      if (!existsSync(join(image, "fifo")) || readFileSync(join(image, "link"), "utf8") !== "of the image")
        throw new Error("the image was written to");
    },
  },
  mounting("a relative source is relative to the bundle", [{ ...bind(), source: "relative" }], {
    edit: (_spec, c) => mkdirSync(join(c.bundle, "relative")),
    shows: [/bundle\/relative \/mnt rw/],
  }),
  mounting("a relative destination is relative to /", [{ ...tmpfs(), destination: "mnt" }], {
    shows: [/\/mnt rw,relatime - tmpfs/],
  }),
  mounting(
    "a file is bound on a file, which is made if missing",
    [{ ...bind("ro"), source: "VOLUME/file", destination: "/a/b/c" }],
    {
      script: "cat /a/b/c",
      shows: ["from the host\n"],
    },
  ),
  ...(
    [
      ["/run/resolved/stub.conf", "/run/resolved/stub.conf"],
      ["../run/stub.conf", "/run/stub.conf"],
      ["second", "/third"],
    ] as const
  ).map(([target, made]) =>
    mounting(
      `a file is bound on a link that leads nowhere yet [${target}]`,
      [{ ...bind("ro"), source: "VOLUME/file", destination: "/etc/resolv.conf" }],
      {
        edit: (_spec, c) => {
          symlinkSync(target, join(c.rootfs, "etc/resolv.conf"));
          symlinkSync("/third", join(c.rootfs, "etc/second"));
        },
        script: "cat /etc/resolv.conf; cut -d' ' -f5 /proc/self/mountinfo",
        shows: ["from the host\n", `${made}\n`],
        after: (c) => {
          if (!lstatSync(join(c.rootfs, "etc/resolv.conf")).isSymbolicLink())
            throw new Error("no link any more");
          if (existsSync(made)) throw new Error(`${made} was made on the host`);
        },
      },
    ),
  ),
  mounting("a directory is made where a link leads nowhere yet", [{ ...tmpfs(), destination: "/gone/x" }], {
    edit: (_spec, c) => symlinkSync("/nowhere/yet", join(c.rootfs, "gone")),
    script: "cut -d' ' -f5 /proc/self/mountinfo",
    shows: ["/nowhere/yet/x\n"],
  }),
  mounting("a file is not bound on a directory", [{ ...bind(), source: "VOLUME/file" }], {
    refuses:
      "mount on /mnt: ENOTDIR (not a directory), asked for by mounts[7] (it is a directory, the source is none)",
  }),
  mounting("mounts are made in the order listed, one over the other", [tmpfs("size=1m"), bind()], {
    script: "cat /mnt/file",
    shows: ["from the host\n"],
  }),
  mounting("a source that is missing is named", [{ ...bind(), source: "/nowhere/at/all" }], {
    refuses: "open_tree /nowhere/at/all: ENOENT (no such file or directory), asked for by mounts[7]",
  }),
  mounting("a list of options in one text is split as by mount(2)", [tmpfs("size=1m,mode=0700")], {
    shows: [/size=1024k,mode=700/],
  }),
  mounting(
    "a value longer than fsconfig(2) takes reaches the file system [overlay]",
    [{ type: "overlay", source: "overlay", options: [`lowerdir=${"/.".repeat(150)}/usr/bin:/etc`] }],
    { shows: [/\/mnt rw,relatime - overlay/] },
  ),
  mounting("500 bind mounts with 256 descriptors", [], {
    script: "grep -c ' /mnt/n' /proc/self/mountinfo",
    edit: (spec, c) => {
      const source = volume(c);
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", hard: 256, soft: 256 }];
      for (let n = 0; n < 500; n++) spec.mounts.push({ ...bind("ro"), source, destination: `/mnt/n${n}` });
    },
    shows: ["500\n"],
  }),
  ...modes.flatMap(([title, destination, given, mode, runcFails]) =>
    [[], ["tmpcopyup"]].map((copyUp) =>
      mounting(`tmpfs ${title} [${copyUp}]`, [{ ...tmpfs(...given, ...copyUp), destination }], {
        script: `stat -c %a ${destination}`,
        shows: [`${mode}\n`],
        ...(runcFails && { runcFails }),
      }),
    ),
  ),
  // Id-mapped mounts.
  mounting("idmap: files appear with the ids of the mapping", [{ ...bind("idmap"), ...map(5000) }], {
    script: "stat -c %u:%g /mnt/file",
    shows: ["6000:6000\n"],
  }),
  mounting(
    "idmap: what is written there has the id of the file system",
    [{ ...bind("idmap"), ...map(5000) }],
    {
      script: "touch /mnt/new || echo refused",
      shows: ["refused"], // 0 of the container is no id of this mount
    },
  ),
  mounting("ridmap: the mounts below are mapped as well", [{ ...bind("ridmap", "ro"), ...map(70000) }], {
    script: "stat -c %u /mnt/below/file; grep -o ' /mnt ro,relatime.*idmapped' /proc/self/mountinfo",
    shows: ["71000\n", "idmapped"],
  }),
  mounting(
    "an id-mapped mount is as little shared with the host as any",
    [{ ...bind("idmap"), ...map(5000) }],
    {
      prepare: (c) => `mount --bind ${volume(c)} ${volume(c)}; mount --make-shared ${volume(c)}`,
      script: "grep ' /mnt' /proc/self/mountinfo",
      shows: [/ \/mnt rw,relatime,idmapped master:\d+ -/],
    },
  ),
  mounting("mappings without the option map the mount", [{ ...bind(), ...map(5000) }], {
    script: "stat -c %u /mnt/file",
    shows: ["6000\n"],
  }),
  mounting("idmap without mappings and without a user namespace is an error", [bind("idmap")], {
    refuses: "mounts[7]: idmap needs uidMappings and gidMappings: the container has no user namespace",
  }),
  mounting(
    "uidMappings come with gidMappings",
    [{ ...bind("idmap"), uidMappings: map(1).uidMappings ?? [] }],
    {
      refuses:
        "mounts[7].gidMappings: must be given when uidMappings is (given nothing; accepted: a list of mappings)",
    },
  ),
  mounting("only bind mounts are id-mapped", [{ ...tmpfs("idmap"), ...map(5000) }], {
    refuses: "mounts[7]: id-mapped mounts are only supported for bind mounts",
  }),
  mounting(
    "a file system that cannot be id-mapped is named",
    [{ ...bind("idmap"), source: "/proc/sys", ...map(5000) }],
    {
      refuses:
        /id-map \/proc\/sys: EINVAL \(invalid argument\), asked for by mounts\[7\] \(does its file system support id-mapped mounts\?\)/,
    },
  ),
  // Without the new mount API. That it agrees with runc in every case is for oracle/mounts_old_api.test.ts; here are
  // the flags that must not get lost.
  ...withoutMountApi.flatMap(([title, faults]) => [
    mounting(
      `ro is ro on every way of mounting [${title}]`,
      [bind("ro", "nosuid"), { ...tmpfs("ro", "nodev"), destination: "/mnt2" }],
      {
        faults,
        script: "cat /proc/self/mountinfo",
        shows: [
          / \/mnt ro,nosuid,relatime/,
          / \/mnt2 ro,nodev,relatime/,
          / \/sys ro,nosuid,nodev,noexec/,
          / \/proc\/sys ro,/,
          / \/ ro,/,
        ],
        edit: (spec) => {
          spec.root.readonly = true;
          spec.mounts = spec.mounts.filter(({ destination }) => destination !== "/mnt2");
        },
        after: () => {},
      },
    ),
    mounting(`recursive options say what they need [${title}]`, [bind("rro")], {
      faults,
      refuses:
        "mount_setattr /mnt: ENOSYS (function not implemented), asked for by mounts[7] (recursive and id-mapped mount options need mount_setattr(2), Linux 5.12)",
    }),
    mounting(`id-mapped mounts say what they need [${title}]`, [{ ...bind("idmap"), ...map(5000) }], {
      faults,
      refuses:
        /id-map .*volume: ENOSYS \(function not implemented\), asked for by mounts\[7\] \(it needs mount_setattr\(2\), Linux 5.12\)/,
    }),
    mounting(`--no-pivot [${title}]`, [bind("ro")], {
      faults,
      options: ["--no-pivot"],
      script: "cat /proc/self/mountinfo",
      shows: [/ \/mnt ro,/],
    }),
  ]),
]);
suite.run();
