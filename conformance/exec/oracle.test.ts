// What a process of exec sees of itself, compared with what runc's sees in the same container.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { conformance, type Fixture } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import {
  differences,
  type Expectation,
  ownCgroup,
  parseProbe,
  runcPath,
  type Sections,
} from "../oracle/compare.ts";
import { type Spec, withoutMounts } from "../spec.ts";

type Case = {
  title: string;
  edit?: (spec: Spec) => void;
  flags?: string[];
  /** The object in a --process file, in place of flags. */
  process?: Partial<Spec["process"]>;
  /** Wraps the runtime, such as with `nice`. */
  wrap?: string[];
  created?: boolean;
  shows?: Expectation[];
  accepts?: { lines: RegExp[]; why: string };
};

const status = (line: RegExp): Expectation => ({ section: "status", line });
const without = (spec: Spec, ...types: string[]): void => {
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => !types.includes(type));
};
const inheritableCaps = (spec: Spec): void => {
  const names = ["CAP_CHOWN", "CAP_KILL"];
  spec.process.capabilities = {
    bounding: names,
    effective: names,
    permitted: names,
    inheritable: names,
    ambient: names,
  };
};

const umaskOfRunc = {
  lines: [/^(umask: runt 0027|umask: runc 0022|status: run[tc] Umask:.*)$/],
  why: "runc 1.1.5 leaves the caller's umask; here it is the container's, as in later versions of runc",
};

const cases: Case[] = [
  { title: "the container's own process" },
  { title: "a user", flags: ["--user", "1000"], shows: [status(/^Uid:\t1000\t1000\t1000\t1000$/)] },
  { title: "a user and a group", flags: ["-u", "1000:1001"], shows: [status(/^Gid:\t1001\t/)] },
  {
    title: "additional groups",
    flags: ["-u", "1000:1000", "-g", "7", "-g", "5"],
    edit: (spec) => {
      spec.process.user.additionalGids = [20];
    },
    shows: [status(/^Groups:\t5 7 20 ?$/)],
  },
  { title: "environment", flags: ["--env", "A=1,2", "--env", "TERM=dumb", "--env", "A=3"] },
  { title: "HOME given", flags: ["-e", "HOME=/nowhere"] },
  { title: "cwd", flags: ["--cwd", "/tmp"], shows: [{ section: "cwd", line: /^\/tmp$/ }] },
  {
    title: "a capability",
    flags: ["--cap", "CAP_SYS_PTRACE"],
    shows: [status(/^CapInh:\t0+$/), status(/^CapEff:\t0*20080420$/)],
  },
  { title: "a capability for a user", flags: ["-u", "1000", "-c", "CAP_SYS_PTRACE"] },
  {
    title: "a capability for a user, with an inheritable set",
    edit: inheritableCaps,
    flags: ["-u", "1000", "--cap", "CAP_KILL"],
    shows: [status(/^CapAmb:\t0*21$/)],
  },
  {
    title: "no_new_privs by flag",
    edit: (spec) => {
      spec.process.noNewPrivileges = false;
    },
    flags: ["--no-new-privs"],
    shows: [status(/^NoNewPrivs:\t1$/)],
  },
  {
    title: "no_new_privs taken back by flag",
    flags: ["--no-new-privs=false"],
    shows: [status(/^NoNewPrivs:\t0$/)],
  },
  {
    title: "umask of the container",
    edit: (spec) => {
      spec.process.user.umask = 0o027;
    },
    shows: [{ section: "umask", line: /^0027$/ }],
    accepts: umaskOfRunc,
  },
  { title: "umask of the caller", wrap: ["sh", "-c", 'umask 077; exec "$@"', "sh"] },
  {
    title: "rlimits of the container",
    edit: (spec) => {
      spec.process.rlimits = [
        { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
      ];
    },
    shows: [{ section: "limits", line: /^Max open files +100 +200 / }],
    accepts: {
      lines: [/^limits: (runt Max open files +100|runc Max open files +200) +200 /],
      why: "the Go runtime of runc's process raises the soft limit to the hard one when it starts after runc has set both",
    },
  },
  {
    title: "oom score of the container",
    edit: (spec) => {
      spec.process.oomScoreAdj = 123;
    },
    shows: [{ section: "oom", line: /^123$/ }],
  },
  {
    title: "the host's pid namespace",
    edit: (spec) => {
      without(spec, "pid");
    },
  },
  {
    title: "the host's network, ipc and uts",
    edit: (spec) => {
      without(spec, "network", "ipc", "uts");
      delete spec.hostname;
      withoutMounts(spec, "/dev/mqueue");
    },
  },
  {
    title: "a cgroup namespace",
    edit: (spec) => spec.linux.namespaces.push({ type: "cgroup" }),
    shows: [{ section: "cgroup", line: ownCgroup }],
  },
  {
    title: "namespaces by path",
    edit: (spec) => {
      for (const namespace of spec.linux.namespaces) {
        const file = { network: "net", ipc: "ipc", uts: "uts" }[namespace.type];
        if (file !== undefined) namespace.path = `/proc/self/ns/${file}`;
      }
      delete spec.hostname;
      withoutMounts(spec, "/dev/mqueue");
    },
  },
  { title: "a container that is created", created: true },
  {
    title: "a process from a file",
    process: {
      user: { uid: 1000, gid: 1000, additionalGids: [5] },
      cwd: "/tmp",
      env: ["PATH=/bin", "ONLY=this"],
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }],
      capabilities: { bounding: ["CAP_KILL"] },
      noNewPrivileges: false,
    },
    shows: [{ section: "environment", line: /^ONLY=this$/ }, status(/^NoNewPrivs:\t0$/)],
  },
  {
    title: "a process from a file in a container with a umask and an oom score",
    edit: (spec) => {
      spec.process.user.umask = 0o027;
      spec.process.oomScoreAdj = 77;
    },
    process: { user: { uid: 0, gid: 0 }, cwd: "/", env: ["PATH=/bin"] },
    accepts: umaskOfRunc,
    shows: [
      { section: "umask", line: /^0027$/ },
      { section: "oom", line: /^77$/ },
    ],
  },
  { title: "signals ignored by the caller", wrap: ["sh", "-c", 'trap "" PIPE HUP INT; exec "$@"', "sh"] },
  { title: "niceness of the caller", wrap: ["nice", "-n", "5"] },
];

const oracle = conformance("oracle: exec");
for (const each of cases) oracle(each.title, (c) => compare(c, each), { needs: ["runc"] });
oracle.run();

async function compare(c: Fixture, each: Case): Promise<void> {
  c.configure((spec) => {
    spec.process.args = ["sleep", "600"];
    each.edit?.(spec);
  });
  const ours = await probe(c, each, runtimePath, c.root);
  const theirs = await probe(c, each, runcPath(), join(c.dir, "oracle-state"));
  const all = differences(ours, theirs);
  const accepted = each.accepts?.lines ?? [];
  const differ = all.filter((line) => !accepted.some((pattern) => pattern.test(line)));
  if (differ.length > 0) throw new Error(`the processes differ:\n${differ.join("\n")}`);
  for (const { section, line } of each.shows ?? [])
    if (!(ours.get(section) ?? []).some((text) => line.test(text)))
      throw new Error(`${section} shows no ${line}:\n${(ours.get(section) ?? []).join("\n")}`);
}

/** The process has the next free pid: what counts is where it is the leader of its group and its session. */
function withoutOwnPid(text: string): string {
  const pids = (/^NSpid:\t(.*)$/m.exec(text)?.[1] ?? "").trim().split(/\s+/);
  return pids.reduce(
    (rest, pid) => rest.replace(new RegExp(`(?<=^NS.*\\t|/proc/)${pid}\\b`, "gm"), "PID"),
    text.replace(
      /(?<=^== session\n)(\d+) (\d+) (\d+)/m,
      (_, parent: string, group: string, session: string) =>
        [
          parent === "0" ? "0" : "PARENT",
          group === pids.at(-1) ? "PID" : group,
          session === pids.at(-1) ? "PID" : session,
        ].join(" "),
    ),
  );
}

async function probe(c: Fixture, each: Case, runtime: string, root: string): Promise<Sections> {
  const call = async (wrap: readonly string[], ...args: string[]): Promise<string> => {
    const result = await runCommand([...wrap, runtime, "--root", root, ...args]);
    if (result.status !== 0) throw new Error(`${runtime} ${args[0]}: ${result.status} ${result.stderr}`);
    return result.stdout;
  };
  const how = each.created ? ["create"] : ["run", "--detach"];
  await call([], ...how, "--bundle", c.bundle, c.id);
  try {
    const file = join(c.dir, "process.json");
    const words = ["sh", "/probe.sh"];
    writeFileSync(file, JSON.stringify({ ...each.process, args: words }));
    const flags = each.process === undefined ? (each.flags ?? []) : ["--process", file];
    const command = each.process === undefined ? words : [];
    const text = await call(each.wrap ?? [], "exec", ...flags, c.id, ...command);
    const sections = parseProbe(withoutOwnPid(text));
    if (!sections.has("end")) throw new Error(`${runtime}: the probe did not come to its end`);
    return sections;
  } finally {
    await call([], "delete", "--force", c.id);
  }
}
