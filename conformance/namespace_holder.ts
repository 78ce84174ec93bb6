// A process that holds namespaces of all kinds, for containers to join by path.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { sleep } from "./command.ts";

/** The file in /proc/PID/ns of each type of linux.namespaces. */
export const namespaceFiles: Readonly<Record<string, string>> = {
  network: "net",
  ipc: "ipc",
  uts: "uts",
  mount: "mnt",
  pid: "pid",
  time: "time",
  cgroup: "cgroup",
  user: "user",
};

/** The maps of a user namespace as they are written; one that is left out stays empty. */
export type Maps = { readonly uid?: string; readonly gid?: string; readonly denySetgroups?: boolean };

export type Holder = {
  readonly path: (type: string) => string;
  readonly link: (type: string) => string;
  readonly end: () => void;
};

/** Starts one with namespaces of its own, and with `maps` in a user namespace of its own, which owns the others. */
export async function startHolder(maps?: Maps): Promise<Holder> {
  const user = maps === undefined ? [] : ["-U"];
  const all = ["-n", "-i", "-u", "-m", "-C", "-T", "-p", "--fork", "--kill-child"];
  const holder = spawn("unshare", [...user, ...all, "sleep", "600"], { stdio: "ignore" });
  holder.unref(); // it must not keep this program from ending
  const end = () => void holder.kill("SIGKILL");
  process.once("exit", end);
  // Only the child of `unshare` is in the namespaces of pids and of time.
  const child = await childOf(holder);
  if (maps?.uid !== undefined) writeFileSync(`/proc/${child}/uid_map`, maps.uid);
  if (maps?.denySetgroups) writeFileSync(`/proc/${child}/setgroups`, "deny");
  if (maps?.gid !== undefined) writeFileSync(`/proc/${child}/gid_map`, maps.gid);
  const path = (type: string) => `/proc/${child}/ns/${namespaceFiles[type]}`;
  return { path, link: (type) => readlinkSync(path(type)), end };
}

async function childOf(holder: ChildProcess): Promise<string> {
  for (let tries = 0; tries < 1000; tries++) {
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
    const [child = ""] = children.split(" ");
    if (child !== "" && readlinkSync(`/proc/${child}/exe`).endsWith("sleep")) return child;
    await sleep(0.005);
  }
  throw new Error("unshare did not start its program");
}
