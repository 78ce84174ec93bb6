// vm
// config-linux.md "Allowed Device list", the same on cgroup v1 (the devices controller) and v2 (an eBPF program):
// which device nodes the processes of a container can open and make.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import { type Resources, type Spec, shell } from "../spec.ts";

type Rules = NonNullable<Resources["devices"]>;
const deny = { allow: false, access: "rwm" };
const allowAll = { allow: true, access: "rwm" };
const kmsg = (allow: boolean, access: string) => ({ allow, type: "c", major: 1, minor: 11, access });

/**
 * Prints a line for each attempt. A device that the kernel does not have answers with another error than the rules
 * do, so also its numbers can be tried.
 */
const script = `
cd /dev
try() { what=$1; shift; case "$( { "$@"; } 2>&1)" in *'peration not permitted'*) echo "$what no";; *) echo "$what yes";; esac; }
rd() { sh -c 'exec 3<"$0"' $1; }
wr() { sh -c 'exec 3>>"$0"' $1; }
rw() { sh -c 'exec 3<>"$0"' $1; }
for d in null zero full random urandom tty pts/ptmx; do try "read $d" rd $d; try "write $d" wr $d; done
while read name type numbers; do
  try "mknod $name" mknod x-$name $type $numbers
  [ -e x-$name ] || continue
  try "read $name" rd x-$name; try "write $name" wr x-$name; try "both $name" rw x-$name
done <<.
kmsg c 1 11
mem c 1 1
block b 240 250
.
`;

const standard = ["null", "zero", "full", "random", "urandom", "tty", "pts/ptmx"].flatMap((name) => [
  `read ${name} yes`,
  `write ${name} yes`,
]);
/** The answers for read, write and both, after mknod's. */
const answers = (name: string, mknod: boolean, ...rest: readonly boolean[]): string[] =>
  ["mknod", "read", "write", "both"]
    .slice(0, mknod ? 4 : 1)
    .map((what, i) => `${what} ${name} ${[mknod, ...rest][i] ? "yes" : "no"}`);

type Case = {
  readonly title: string;
  readonly rules: Rules | undefined;
  readonly expected: readonly string[];
  readonly runcFails?: string;
};
const [yes, no] = [true, false];

const cases: readonly Case[] = [
  {
    title: "no rules: only the default devices, and mknod of any",
    rules: undefined,
    expected: [
      ...answers("kmsg", yes, no, no, no),
      ...answers("mem", yes, no, no, no),
      ...answers("block", yes, no, no, no),
    ],
  },
  {
    title: "letters besides rwm do nothing",
    rules: [deny, kmsg(true, "xr"), { allow: true, type: "b", major: 240, access: "wzr" }],
    expected: [
      ...answers("kmsg", yes, yes, no, no),
      ...answers("mem", yes, no, no, no),
      ...answers("block", yes, yes, yes, yes),
    ],
  },
  {
    title: "deny all, allow reading one and a major of block devices",
    rules: [deny, kmsg(true, "r"), { allow: true, type: "b", major: 240, access: "rw" }],
    expected: [
      ...answers("kmsg", yes, yes, no, no),
      ...answers("mem", yes, no, no, no),
      ...answers("block", yes, yes, yes, yes),
    ],
  },
  {
    title: "allow all, then deny writing one and making another",
    rules: [allowAll, kmsg(false, "w"), { allow: false, type: "b", major: 240, minor: 250, access: "m" }],
    expected: [
      ...answers("kmsg", yes, yes, no, no),
      ...answers("mem", yes, yes, yes, yes),
      ...answers("block", no),
    ],
    ...(cgroupVersion === 2 && { runcFails: "opening for both reading and writing passes a denied write" }),
  },
  {
    title: "a later rule takes back what an earlier one allowed",
    rules: [deny, kmsg(true, "rw"), kmsg(false, "w"), { allow: true, type: "c", major: 1, access: "r" }],
    expected: [
      ...answers("kmsg", yes, yes, no, no),
      ...answers("mem", yes, yes, no, no),
      ...answers("block", yes, no, no, no),
    ],
  },
];

function configure(c: Fixture, rules: Rules | undefined, edit?: (spec: Spec) => void): void {
  c.configure((spec) => {
    shell(spec, script);
    spec.linux.resources = rules === undefined ? {} : { devices: rules };
    const all = ["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_SYSLOG"];
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
    edit?.(spec);
  });
}

const devices = conformance("devices");
for (const { title, rules, expected, ...options } of cases)
  devices(
    title,
    async (c) => {
      configure(c, rules);
      const { stdout } = succeed(await c.run());
      assert.equal(stdout.trim().split("\n"), [...standard, ...expected]);
    },
    options,
  );

devices(
  "a rule without a letter of rwm does nothing, and is told",
  async (c) => {
    configure(c, [deny, kmsg(true, "x")]);
    const { stdout, stderr } = succeed(await c.run());
    assert.match(stdout, "read kmsg no");
    assert.match(stderr, 'devices[1].access: of \\"x\\" only the letters r, w and m count');
  },
  { runcFails: "it cannot set such a rule on v1, and says nothing" },
);

devices("exec is under the same rules", async (c) => {
  configure(c, [deny, kmsg(true, "r")], (spec) => shell(spec, "sleep 100"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  const { stdout } = succeed(await c.runt(["exec", c.id, "sh", "-c", script]));
  assert.equal(stdout.trim().split("\n"), [
    ...standard,
    ...answers("kmsg", yes, yes, no, no),
    ...answers("mem", yes, no, no, no),
    ...answers("block", yes, no, no, no),
  ]);
});

devices("in a user namespace, where nobody may set rules, they are left out", async (c) => {
  configure(c, [deny], (spec) => {
    spec.process.args = ["true"];
    spec.linux.cgroupsPath = `/${c.token}`;
  });
  // The shell waits for its id map, which the first user namespace has to write for all ids to be there.
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  const inside = spawn("unshare", ["-Um", "sh", "-c", 'read go && exec "$@"', "sh", ...command], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  inside.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const exited = new Promise<number | null>((resolve) => inside.once("close", resolve));
  const own = async () => (await runCommand(["readlink", `/proc/${inside.pid}/ns/user`])).stdout;
  const ours = (await runCommand(["readlink", "/proc/self/ns/user"])).stdout;
  for (let tries = 0; tries < 1000 && (await own()) === ours; tries++) await Bun.sleep(10);
  for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${inside.pid}/${map}`, "0 0 65536\n");
  inside.stdin.end("go\n");
  assert.is(await exited, 0, said);
});

devices.run();
