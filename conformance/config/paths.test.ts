// config-linux.md "Masked Paths" and "Readonly Paths".
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, tableSuite, withoutMountApi } from "./table.ts";

type Paths = { masked?: string[]; readonly?: string[] };

const paths = (title: string, { masked = [], readonly = [] }: Paths, rest: Omit<Case, "title">): Case => ({
  title,
  ...rest,
  edit: (spec, c) => {
    const top = join(c.rootfs, "top");
    mkdirSync(join(top, "below/deep"), { recursive: true });
    for (const name of ["file", "below/file", "below/deep/file"]) writeFileSync(join(top, name), "secret\n");
    symlinkSync("/top/file", join(c.rootfs, "to-file"));
    symlinkSync("top/below", join(c.rootfs, "to-directory"));
    spec.linux.maskedPaths = masked;
    spec.linux.readonlyPaths = readonly;
    rest.edit?.(spec, c);
  },
});

const suite = tableSuite("config: masked and read-only paths", [
  paths(
    "a masked file of the image cannot be read",
    { masked: ["/top/file"] },
    {
      script: "cat /top/file; stat -c %t:%T /top/file",
      shows: [/^1:3\n$/],
    },
  ),
  paths(
    "a masked directory is empty and cannot be written",
    { masked: ["/top/below"] },
    {
      script: "ls -A /top/below; touch /top/below/x || echo refused",
      shows: [/^refused\n$/],
    },
  ),
  paths(
    "a masked link hides what it leads to",
    { masked: ["/to-file", "/to-directory"] },
    {
      script: "cat /top/file; ls -A /top/below; echo end",
      shows: [/^end\n$/],
    },
  ),
  paths(
    "nested: the outer one hides the inner one",
    { masked: ["/top/below/deep", "/top/below", "/top"] },
    {
      script: "ls -A /top; echo end",
      shows: [/^end\n$/],
    },
  ),
  paths(
    "a path below what is masked is no longer there, which is no error",
    { masked: ["/top", "/top/below/file"] },
    {
      script: "ls -A /top; echo end",
      shows: [/^end\n$/],
    },
  ),
  paths(
    "a path that is not there is passed over",
    { masked: ["/none", "/top/file/x"], readonly: ["/none", "/top/file/x"] },
    {
      script: "cat /top/file",
      shows: ["secret\n"],
    },
  ),
  paths(
    "a masked path on a tmpfs of the container",
    { masked: ["/mnt/made"] },
    {
      edit: (spec) => {
        spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs" });
        spec.mounts.push({ destination: "/mnt/made", type: "tmpfs", source: "tmpfs", options: ["mode=777"] });
      },
      script: "touch /mnt/made/x || echo refused",
      shows: ["refused\n"],
    },
  ),
  paths(
    "a loop of links is an error",
    { masked: ["/loop"] },
    {
      edit: (_spec, c) => symlinkSync("loop", join(c.rootfs, "loop")),
      refuses: "open /loop: ELOOP (too many levels of symbolic links), asked for by linux.maskedPaths[0]",
    },
  ),
  paths(
    "a read-only file",
    { readonly: ["/top/file"] },
    {
      script: "cat /top/file; echo x > /top/file || echo refused",
      shows: ["secret\nrefused\n"],
    },
  ),
  paths(
    "a read-only link is its target",
    { readonly: ["/to-directory"] },
    {
      script: "touch /top/below/x || echo refused; touch /top/x && echo written",
      shows: ["refused\nwritten\n"],
    },
  ),
  paths(
    "a read-only path and one below it",
    { readonly: ["/top/below", "/top/below/deep"] },
    {
      script: "touch /top/below/x || touch /top/below/deep/x || echo refused",
      shows: ["refused\n"],
    },
  ),
  paths(
    "a read-only path that is masked as well is masked",
    { readonly: ["/top/file"], masked: ["/top/file"] },
    {
      script: "cat /top/file; echo end",
      shows: [/^end\n$/],
    },
  ),
  ...([["the new mount API", undefined], ...withoutMountApi] as const).map(([title, faults]) =>
    paths(
      `a read-only path keeps the other flags of its mount [${title}]`,
      { readonly: ["/mnt", "/proc/sys"] },
      {
        ...(faults === undefined ? {} : { faults }),
        edit: (spec) => {
          const options = ["nosuid", "nodev", "noexec", "noatime", "nosymfollow"];
          spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs", options });
        },
        script: "grep ' /mnt ' /proc/self/mountinfo | tail -1",
        shows: [/ \/mnt ro,nosuid,nodev,noexec,noatime,nosymfollow -/],
      },
    ),
  ),
]);
suite.run();
