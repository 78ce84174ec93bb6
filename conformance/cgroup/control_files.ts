// The control files of a process's cgroups, read from the host: every hierarchy, every file that can be written.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A hierarchy as a mount namespace has it: what it is of, where it is mounted, and what of it is mounted there. */
type Hierarchy = { readonly names: readonly string[]; readonly mountPoint: string; readonly root: string };

/** What can be written but says what has happened, not what was set; and what nothing can be read from. */
const measured =
  /(^(cgroup\.procs|cgroup\.threads|tasks|cpuacct\.usage)$|\.(pressure|failcnt|force_empty|reclaim|peak)$|max_usage_in_bytes$)/;

/** Of what cannot be written, what the settings come to. */
const effective = ["devices.list", "cgroup.controllers", "cpuset.cpus.effective", "cpuset.mems.effective"];

/** "file value" for each file, after "directory PATH" of each cgroup; `top` is where the mount namespace is seen. */
export function controlFiles(pid: number, top = ""): string[] {
  const own = new Map(
    readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .trim()
      .split("\n")
      .map((line) => [line.split(":")[1] ?? "", line.split(":").slice(2).join(":")]),
  );
  const all = hierarchies(top);
  return all.flatMap(({ names, mountPoint, root }) => {
    const path = [...own].find(([list]) => list.split(",").some((name) => names.includes(name)))?.[1] ?? "";
    const directory = join(mountPoint, root === "/" ? path : path.slice(root.length));
    const files = filesOf(join(top, directory));
    // On a hybrid host the controllers of the unified hierarchy are nobody's business, and other tests switch them.
    const core = all.length > 1 && names.includes("") ? files.filter(isCore) : files;
    return [`directory ${directory}`, ...core];
  });
}

const isCore = (line: string): boolean => /^cgroup\.(?!controllers)/.test(line);

function filesOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !measured.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => effective.includes(name) || (statSync(join(directory, name)).mode & 0o600) === 0o600)
    .sort()
    .flatMap((name) => readable(directory, name));
}

function readable(directory: string, name: string): string[] {
  try {
    const text = readFileSync(join(directory, name), "utf8").trim();
    // runc sorts the devices, runt has them in the configuration's order; which comes first decides nothing.
    return [`${name} ${name === "devices.list" ? text.split("\n").sort().join("\n") : text}`];
  } catch {
    return []; // files that are only written show the permission to read in old kernels
  }
}

function hierarchies(top: string): Hierarchy[] {
  return readFileSync(top === "" ? "/proc/self/mountinfo" : join(top, "../mountinfo"), "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [, , , root = "/", mountPoint = ""] = before.split(" ");
      const [type, , options = ""] = after.split(" ");
      return { names: type === "cgroup2" ? [""] : options.split(","), mountPoint, root };
    });
}
