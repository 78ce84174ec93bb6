// A source of a bind mount is looked up when its turn comes, in the container's mount namespace: what an earlier mount
// of the configuration makes or covers is what the source is. With and without mapped ids and a user namespace.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../harness.ts";
import type { IDMapping, Mount, Spec } from "../spec.ts";
import { type Case, tableSuite } from "./table.ts";

const from = (hostID: number): IDMapping[] => [{ containerID: 0, hostID, size: 65536 }];

type Mode = { readonly title: string; readonly userns: number | undefined; readonly idmap: boolean };

const modes: readonly Mode[] = [undefined, 0, 100_000].flatMap((userns) =>
  [false, true].map((idmap) => ({
    title: `${userns === undefined ? "no user namespace" : `ids from ${userns}`}${idmap ? ", id-mapped" : ""}`,
    userns,
    idmap,
  })),
);

const enter = (spec: Spec, { userns }: Mode): void => {
  if (userns === undefined) return;
  spec.linux.namespaces.push({ type: "user" });
  Object.assign(spec.linux, { uidMappings: from(userns), gidMappings: from(userns) });
};

/** The mount in question; its ids are those of the host's root. */
const bound = ({ idmap, userns }: Mode, source: string, destination: string, options: string[]): Mount => ({
  destination,
  type: "bind",
  source,
  options,
  ...(idmap && { uidMappings: from(userns ?? 5000), gidMappings: from(userns ?? 5000) }),
});

/** What may be searched by root of the host only, with a directory and a file below. */
function closed(c: Fixture): string {
  const dir = join(c.dir, "closed");
  mkdirSync(join(dir, "below"), { recursive: true });
  writeFileSync(join(dir, "below/file"), "of the host");
  chmodSync(dir, 0o700);
  return dir;
}

/** Whoever is root in the container must get into its root file system. */
function open(c: Fixture, { userns }: Mode): void {
  chmodSync(c.dir, 0o755);
  chmodSync(c.bundle, 0o755);
  if (userns) for (const dir of [".", "home", "mnt", "var"]) chownSync(join(c.rootfs, dir), userns, userns);
}

const inOrder = (
  title: string,
  script: string,
  shows: Case["shows"],
  mounts: (c: Fixture, mode: Mode) => Mount[],
) =>
  modes.map(
    (mode): Case => ({
      title: `${title} [${mode.title}]`,
      edit: (spec, c) => {
        open(c, mode);
        mkdirSync(join(c.rootfs, "home/of-the-image"));
        enter(spec, mode);
        spec.mounts.push(...mounts(c, mode));
      },
      script,
      ...(shows && { shows }),
      ...(mode.idmap && { runcMayFail: "runc 1.1 has no id-mapped mounts" }),
    }),
  );

tableSuite("config: sources of bind mounts in their order", [
  ...inOrder("a source that an earlier mount makes", "cat /mnt/file", ["of the host"], (c, mode) => [
    { destination: "/home", type: "tmpfs", source: "tmpfs" },
    { destination: "/home/made", type: "bind", source: closed(c), options: ["bind"] },
    bound(mode, join(c.rootfs, "home/made/below"), "/mnt", ["bind"]),
  ]),
  ...inOrder(
    "a source that an earlier mount covers",
    "ls -A /mnt; grep ' /mnt ' /proc/self/mountinfo",
    [/^\d+ .* - tmpfs covering /],
    (c, mode) => [
      { destination: "/home", type: "tmpfs", source: "covering" },
      bound(mode, join(c.rootfs, "home"), "/mnt", ["bind"]),
    ],
  ),
  ...inOrder(
    "a source with the mounts below it",
    "cat /mnt/made/below/file 2>/dev/null || ls -d /mnt/made; grep -c ' /mnt' /proc/self/mountinfo",
    [/\n?2\n$/],
    (c, mode) => [
      { destination: "/home", type: "tmpfs", source: "tmpfs" },
      { destination: "/home/made", type: "bind", source: closed(c), options: ["bind"] },
      bound(mode, join(c.rootfs, "home"), "/mnt", ["rbind"]),
    ],
  ),
  ...inOrder(
    "a source that a later mount covers is what it was",
    "ls /mnt",
    ["of-the-image\n"],
    (c, mode) => [
      bound(mode, join(c.rootfs, "home"), "/mnt", ["bind"]),
      { destination: "/home", type: "tmpfs", source: "tmpfs" },
    ],
  ),
  ...inOrder(
    "a directory that only the host's root may search",
    "cat /mnt/file",
    ["of the host"],
    (c, mode) => [bound(mode, join(closed(c), "below"), "/mnt", ["bind"])],
  ),
  ...inOrder("a file in it", "cat /var/file", ["of the host"], (c, mode) => [
    bound(mode, join(closed(c), "below/file"), "/var/file", ["bind"]),
  ]),
  ...modes.map(
    (mode): Case => ({
      title: `a directory of the host without what is mounted below [${mode.title}]`,
      edit: (spec, c) => {
        open(c, mode);
        enter(spec, mode);
        spec.mounts.push(bound(mode, join(closed(c), "below"), "/mnt", ["bind"]));
      },
      prepare: (c) => `mkdir ${closed(c)}/below/sub; mount -t tmpfs sub ${c.dir}/closed/below/sub`,
      script: "cat /mnt/file; grep -c ' /mnt' /proc/self/mountinfo",
      shows: ["of the host1\n"],
      runcMayFail: "a part of a locked tree, and no id-mapped mounts in runc 1.1",
    }),
  ),
  ...modes.map(
    (mode): Case => ({
      title: `a source that is nowhere is named [${mode.title}]`,
      edit: (spec, c) => {
        open(c, mode);
        enter(spec, mode);
        spec.mounts.push(bound(mode, join(c.rootfs, "nowhere"), "/mnt", ["bind"]));
      },
      refuses:
        /open_tree \S*\/rootfs\/nowhere: ENOENT \(no such file or directory\), asked for by mounts\[7\]/,
      runcFails: "the words are runt's",
    }),
  ),
]).run();
