// A root file system made of nothing but Debian's busybox-static: one binary and a link for each applet.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
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

type Template = { readonly tree: string; readonly links: string; readonly applets: readonly string[] };

let template: Template | undefined;

/** Fills `rootfs`, which must not exist yet. The binary is a copy: a test may let a container attack it. */
export function makeRootfs(rootfs: string): void {
  template ??= makeTemplate();
  const { tree, links, applets } = template;
  cpSync(tree, rootfs, { recursive: true });
  for (const applet of applets) link(join(links, applet), join(rootfs, "bin", applet));
}

/** Another name for the same symbolic link: hundreds of new ones would take longer than most tests do. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    symlinkSync("busybox", to); // on another file system
  }
}

function makeTemplate(): Template {
  const busybox = findCommand("busybox");
  if (!busybox) throw new Error("busybox is not installed: run scripts/setup.sh");
  const top = mkdtempSync(join(tmpdir(), "rootfs-"));
  process.once("exit", () => rmSync(top, { recursive: true, force: true }));
  const tree = join(top, "tree");
  const links = join(top, "links");
  for (const dir of [links, ...directories.map((name) => join(tree, name))])
    mkdirSync(dir, { recursive: true });
  chmodSync(tree, 0o755); // it becomes "/" of containers with other users
  copyFileSync(busybox, join(tree, "bin/busybox"));
  const listed = execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n");
  const applets = listed.filter((applet) => applet !== "" && applet !== "busybox");
  for (const applet of applets) symlinkSync("busybox", join(links, applet));
  writeFileSync(join(tree, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n");
  writeFileSync(join(tree, "etc/group"), "root:x:0:\nuser:x:1000:\n");
  copyFileSync(new URL("probe.sh", import.meta.url).pathname, join(tree, "probe.sh"));
  return { tree, links, applets };
}
