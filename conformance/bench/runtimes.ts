/** The runtimes that are measured beside each other. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { findCommand, runtimePath } from "../needs.ts";

export type Kind = "runt" | "crun" | "runc";

export type Runtime = {
  /** As the table calls it: the kind, and of peers the version. */
  readonly name: string;
  readonly kind: Kind;
  readonly path: string;
  /** In paths and identifiers; equally long for all, as a longer one would cost more. */
  readonly key: string;
};

/**
 * runt first, then crun and runc: those of $CRUN and $RUNC or of $PATH, and whatever in the directory `peers` is called
 * crun or runc, with anything behind that. Says of what is missing that it is.
 */
export function findRuntimes(peers: string | undefined): Runtime[] {
  const found: { kind: Kind; path: string | undefined }[] = [
    { kind: "runt", path: runtimePath },
    { kind: "crun", path: process.env.CRUN ?? findCommand("crun") },
    { kind: "runc", path: process.env.RUNC ?? findCommand("runc") },
  ];
  for (const file of peers === undefined ? [] : readdirSync(peers).sort()) {
    const kind = (["crun", "runc"] as const).find((name) => file.startsWith(name));
    const path = peers === undefined ? "" : join(peers, file);
    if (kind !== undefined && statSync(path).isFile()) found.push({ kind, path });
  }
  return found.flatMap(({ kind, path }, index) => {
    if (path !== undefined && existsSync(path))
      return [{ name: kind === "runt" ? kind : `${kind} ${version(path)}`, kind, path, key: `r${index}` }];
    console.log(`skip: ${kind}: not ${kind === "runt" ? "built" : "installed"}${path ? `: ${path}` : ""}`);
    return [];
  });
}

function version(path: string): string {
  const { stdout, stderr } = spawnSync(path, ["--version"], { encoding: "utf8" });
  const text = /version ([^\s+]+)/.exec(stdout ?? "")?.[1];
  if (text === undefined) throw new Error(`${path} --version: ${stdout}${stderr}`);
  return text;
}
