// The flags of a bind mount: those of what it binds, each set on the host, against each option, with the host's user
// namespace and in one of the container's own, where the kernel has locked them. The rules are the kernel's
// (mount_namespaces(7)) and runc's since 1.2; each of the values was seen with runc 1.3.6.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";

/** What a mount on the host has, in the order of mountinfo. */
const sources: readonly (readonly string[])[] = [
  ["relatime"],
  ["ro", "relatime"],
  ["nosuid", "relatime"],
  ["nodev", "relatime"],
  ["noexec", "relatime"],
  ["relatime", "nosymfollow"],
  ["nodiratime", "relatime"],
  ["noatime"],
  ["strictatime"],
  ["noatime", "nodiratime"],
  ["strictatime", "nodiratime"],
  ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"],
];

/** Options that set a flag other than of the access time. */
const setting = ["ro", "nosuid", "nodev", "noexec", "nosymfollow"];

/** Options that set the access time, and what it then is. */
const atimes: Readonly<Record<string, readonly string[]>> = {
  noatime: ["noatime"],
  nodiratime: ["nodiratime", "relatime"],
  relatime: ["relatime"],
  strictatime: ["strictatime"],
  "noatime,nodiratime": ["noatime", "nodiratime"],
};

/** Options that clear something, and what; those that set and clear flags of a file system. */
const clearing: Readonly<Record<string, string>> = {
  rw: "ro",
  suid: "nosuid",
  dev: "nodev",
  exec: "noexec",
  symfollow: "nosymfollow",
  atime: "noatime",
  diratime: "nodiratime",
  norelatime: "relatime",
  nostrictatime: "strictatime",
  ...Object.fromEntries(
    ["sync", "async", "dirsync", "lazytime", "nolazytime", "silent", "loud", "iversion", "noiversion"]
      .concat(["mand", "nomand"])
      .map((name) => [name, ""]),
  ),
};

const options = ["", ...setting, ...Object.keys(atimes), ...Object.keys(clearing)];

const atimeFlags = ["noatime", "nodiratime", "relatime", "strictatime"];
const lockable = ["ro", "nosuid", "nodev", "noexec"];

const sorted = (flags: readonly string[]): string => [...new Set(flags)].sort().join();

/** The flags that a bind mount has, or that it is refused. */
function expected(source: readonly string[], option: string, locked: boolean): string {
  if (option === "") return sorted(source);
  const atime = source.filter((flag) => atimeFlags.includes(flag));
  const asked = setting.includes(option) ? [option] : [];
  const wanted = [...asked, ...(atimes[option] ?? atime)];
  if (!locked) return sorted(wanted);
  // Only what is as asked for, or unlocked, can be had at once.
  const kept = source.filter((flag) => lockable.includes(flag));
  const atOnce =
    sorted(atimes[option] ?? atime) === sorted(atime) && kept.every((flag) => wanted.includes(flag));
  if (atOnce) return sorted(wanted);
  const cannotClear = [...kept, ...atime].includes(clearing[option] ?? "none");
  const cannotSet = option in atimes && sorted(atimes[option] ?? []) !== sorted(atime);
  return cannotClear || cannotSet ? "EPERM" : sorted([...wanted, ...kept]);
}

const cases = sources.flatMap((source, i) =>
  options.map((option, j) => ({ name: `${i}-${j}`, source, option, directory: `${i}` })),
);

/** Runs one container after another in a mount namespace where the sources are, one for each group of cases. */
async function seen(
  c: Fixture,
  groups: readonly (typeof cases)[],
  userns: boolean,
): Promise<Map<string, string>> {
  const volume = join(c.dir, "volume");
  const lines = sources.flatMap((flags, i) => {
    const dir = join(volume, `${i}`);
    mkdirSync(dir, { recursive: true });
    return [`mount --bind ${dir} ${dir}`, `mount -o remount,bind,${flags.join()} ${dir}`];
  });
  groups.forEach((group, n) => {
    c.configure((spec) => {
      spec.root.readonly = false;
      spec.process.args = ["cat", "/proc/self/mountinfo"];
      if (userns) {
        const maps = [{ containerID: 0, hostID: 0, size: 65536 }];
        spec.linux.namespaces.push({ type: "user" });
        Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
      }
      for (const { name, option, directory } of group)
        spec.mounts.push({
          destination: `/mnt/${name}`,
          type: "bind",
          source: join(volume, directory),
          options: ["bind", ...option.split(",")].filter((text) => text !== ""),
        });
    });
    writeFileSync(join(c.dir, `${n}.json`), readFileSync(join(c.bundle, "config.json")));
  });
  const run = `for n in $(seq 0 ${groups.length - 1}); do cp ${c.dir}/$n.json ${c.bundle}/config.json
    "$@" 2>${c.dir}/said || { grep -qE 'EPERM|not permitted' ${c.dir}/said && echo refused $n; }; done`;
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  const script = [...lines, run].join("\n");
  const { stdout } = succeed(
    await runCommand(["unshare", "-m", "sh", "-c", script, "sh", ...command], { timeoutSeconds: 120 }),
  );
  const found = new Map<string, string>();
  for (const [, n = ""] of stdout.matchAll(/^refused (\d+)$/gm))
    for (const { name } of groups[Number(n)] ?? []) found.set(name, "EPERM");
  for (const [, name = "", flags = ""] of stdout.matchAll(/ \/mnt\/(\d+-\d+) (\S+)/g)) {
    const listed = flags.split(",").filter((flag) => flag !== "rw");
    const strict = listed.includes("relatime") || listed.includes("noatime") ? [] : ["strictatime"];
    found.set(name, sorted([...listed, ...strict]));
  }
  return found;
}

const flags = conformance("flags of bind mounts");

for (const userns of [false, true])
  flags(
    `each flag of a source against each option [${userns ? "in a user namespace" : "the host's user namespace"}]`,
    async (c) => {
      const refused = cases.filter(({ source, option }) => expected(source, option, userns) === "EPERM");
      const made = cases.filter((each) => !refused.includes(each));
      const found = await seen(c, [made, ...refused.map((each) => [each])], userns);
      const table = (of: (each: (typeof cases)[number]) => string | undefined) =>
        cases.map((each) => `${each.source.join()} | ${each.option} | ${of(each)}`);
      assert.equal(
        table(({ name }) => found.get(name)),
        table(({ source, option }) => expected(source, option, userns)),
      );
    },
    { needs: ["unshare", "mount"], runcMayFail: "runc before 1.2 has other rules" },
  );

flags.run();
