// Runs one bundle with the runtime under test and with runc, one after the other under the same id, and
// compares what the probe in the container printed, section by section.
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { conformance, type Fixture } from "../harness.ts";
import { cgroupVersion, findCommand, runtimePath } from "../needs.ts";
import type { Spec } from "../spec.ts";

/**
 * The only differences that are accepted, each a section and what is normalised in it before comparing.
 * Nothing is expected to differ but numbers that the kernel hands out.
 */
const normalisations: readonly { section: string; why: string; change: (line: string) => string }[] = [
  {
    section: "mountinfo",
    why: "mount ids, device numbers and peer group numbers are the kernel's next free ones",
    change: (line) =>
      line
        .replace(/^\d+ \d+ (\d+:\d+) /, (_, device: string) => (device.startsWith("0:") ? "" : `${device} `))
        .replace(/(shared|master|propagate_from):\d+/g, "$1"),
  },
  {
    section: "mountinfo",
    why: "a masked file is covered by the host's null device here, by the image's own in runc (CVE-2025-31133)",
    change: (line) => line.replace(/^(?:\d+:\d+ )?\S*\/null (\/\S+) rw,.*/, "null device on $1"),
  },
  {
    section: "mountinfo",
    why: "config.json asks for cgroups read-only: runc leaves the tmpfs above the hierarchies writable",
    change: (line) => line.replace(/^\/ \/sys\/fs\/cgroup r[ow],(.* tmpfs )/, "/ /sys/fs/cgroup $1"),
  },
  {
    section: "mountinfo",
    why: "without a cgroup namespace runc mounts cgroup v2 anew, which resets the options of the machine's hierarchy",
    change: (line) => line.replace(/ - cgroup2 .*/, " - cgroup2"),
  },
  {
    section: "mountinfo",
    why: "a tmpfs has the mode of the directory that it covers: by an option, as in runc since 1.3, or by chmod",
    change: (line) => line.replace(/( - tmpfs .*?),mode=755/, "$1"),
  },
  {
    section: "mountinfo",
    why: "runc limits the size of a masked directory since 1.2",
    change: (line) => line.replace(/( ro,\S+ - tmpfs tmpfs ro),size=4k,nr_inodes=1/, "$1"),
  },
  {
    section: "namespaces",
    why: "a namespace's inode is new for each container; what counts is whether it is the host's",
    change: (line) => (hostNamespaces.has(line) ? `${line} of the host` : line.replace(/\d+/, "private")),
  },
  {
    section: "descriptors",
    why: "runc copies the output of `run` through pipes of its own; whether runt does is its own business",
    change: (line) => line.replace(/(fd\/[012]' -> ).*/, "$1standard stream"),
  },
];

const hostNamespaces = new Set(
  ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"].map((type) =>
    readlinkSync(`/proc/self/ns/${type}`),
  ),
);

export type Sections = ReadonlyMap<string, readonly string[]>;

export function parseProbe(text: string): Sections {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("== ")) {
      lines = [];
      sections.set(line.slice(3), lines);
    } else if (line !== "") lines.push(line);
  }
  return sections;
}

function normalise(section: string, lines: readonly string[]): string[] {
  const changes = normalisations.filter((each) => each.section === section);
  return lines.map((line) => changes.reduce((text, { change }) => change(text), line));
}

/** One line for each difference; none when the two agree. */
export function differences(ours: Sections, theirs: Sections): string[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].flatMap((section) => {
    const mine = normalise(section, ours.get(section) ?? []);
    const oracle = normalise(section, theirs.get(section) ?? []);
    const only = (these: string[], those: string[], mark: string) =>
      these.filter((line) => !those.includes(line)).map((line) => `${section}: ${mark} ${line}`);
    const lines = [...only(mine, oracle, "runt"), ...only(oracle, mine, "runc")];
    const reordered = lines.length === 0 && mine.join("\n") !== oracle.join("\n");
    return reordered ? [`${section}: order or repetition: runt ${mine.join(" | ")}`] : lines;
  });
}

/** A line of /proc/self/cgroup in a cgroup namespace of one's own. */
export const ownCgroup = cgroupVersion === 2 ? /^0::\/$/ : /^\d+:memory:\/$/;

export const runcPath = (): string => findCommand("runc") ?? "runc";

/** What a case must show besides agreement, so that two runtimes which both ignore it do not agree on nothing. */
export type Expectation = { readonly section: string; readonly line: RegExp };

export type OracleCase = {
  readonly title: string;
  readonly edit: (spec: Spec, c: Fixture) => void;
  readonly shows?: readonly Expectation[];
  /** Differences that are meant in this case, as they are listed, and why. */
  readonly accepts?: { readonly lines: readonly RegExp[]; readonly why: string };
  /** Wraps the runtime, such as with `nice`. */
  readonly wrap?: readonly string[];
};

export function oracleSuite(name: string, cases: readonly OracleCase[]): void {
  const suite = conformance(name);
  for (const each of cases) suite(each.title, (c) => runCase(c, each), { needs: ["runc"] });
  suite.run();
}

async function runCase(c: Fixture, { edit, shows = [], accepts, wrap = [] }: OracleCase): Promise<void> {
  c.configure((spec) => {
    spec.process.args = ["sh", "/probe.sh"];
    edit(spec, c);
  });
  const by = (runtime: string, root: string) =>
    runCommand([...wrap, runtime, "--root", root, "run", "--bundle", c.bundle, c.id]);
  const ours = await by(runtimePath, c.root);
  const theirs = await by(runcPath(), join(c.dir, "oracle-state"));
  const probed = parseProbe(ours.stdout);
  if (ours.status !== 0 || !probed.has("end")) throw new Error(`runt: ${ours.status} ${ours.stderr}`);
  if (theirs.status !== 0) throw new Error(`runc: ${theirs.status} ${theirs.stderr}`);
  const all = differences(probed, parseProbe(theirs.stdout));
  const accepted = accepts?.lines ?? [];
  const unseen = accepted.filter((pattern) => !all.some((line) => pattern.test(line)));
  if (unseen.length > 0) throw new Error(`accepted differences that are none: ${unseen.join(", ")}`);
  const differ = all.filter((line) => !accepted.some((pattern) => pattern.test(line)));
  if (differ.length > 0) throw new Error(`the containers differ:\n${differ.join("\n")}`);
  for (const { section, line } of shows)
    if (!(probed.get(section) ?? []).some((text) => line.test(text)))
      throw new Error(`${section} shows no ${line}:\n${(probed.get(section) ?? []).join("\n")}`);
}
