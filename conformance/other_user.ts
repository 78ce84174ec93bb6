// Running as somebody else than root.
import { chmodSync, constants, copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Fixture } from "./harness.ts";
import { runtimePath } from "./needs.ts";

/** Wraps a command. By default the user is nobody. */
export const asUser = (argv: readonly string[], uid = 65534, gid = uid): string[] => [
  "setpriv",
  `--reuid=${uid}`,
  `--regid=${gid}`,
  "--clear-groups",
  ...argv,
];

/** The runtime under test where every user finds it: the project itself may be in a directory that only root may enter. */
export function runtimeForAll(c: Fixture): string {
  const copy = join(c.dir, basename(runtimePath));
  copyFileSync(runtimePath, copy, constants.COPYFILE_FICLONE);
  chmodSync(copy, 0o755);
  chmodSync(c.dir, 0o755);
  return copy;
}
