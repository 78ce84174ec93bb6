// A root file system made of nothing but Debian's busybox-static: one binary and a link for each applet.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCommand } from "./needs.ts";

const directories = ["bin", "dev", "etc", "home", "mnt", "proc", "root", "sys", "tmp", "usr/bin", "var"];

let template: string | undefined;

/** Fills `rootfs`, which must not exist yet. The binary is a copy: a test may let a container attack it. */
export function makeRootfs(rootfs: string): void {
  template ??= makeTemplate();
  cpSync(template, rootfs, { recursive: true, verbatimSymlinks: true });
}

function makeTemplate(): string {
  const busybox = findCommand("busybox");
  if (!busybox) throw new Error("busybox is not installed: run scripts/setup.sh");
  const top = mkdtempSync(join(tmpdir(), "rootfs-"));
  process.once("exit", () => rmSync(top, { recursive: true, force: true }));
  chmodSync(top, 0o755); // it becomes "/" of containers with other users
  for (const dir of directories) mkdirSync(join(top, dir), { recursive: true });
  copyFileSync(busybox, join(top, "bin/busybox"));
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n"))
    if (applet !== "" && applet !== "busybox") symlinkSync("busybox", join(top, "bin", applet));
  writeFileSync(join(top, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n");
  writeFileSync(join(top, "etc/group"), "root:x:0:\nuser:x:1000:\n");
  copyFileSync(new URL("probe.sh", import.meta.url).pathname, join(top, "probe.sh"));
  return top;
}
