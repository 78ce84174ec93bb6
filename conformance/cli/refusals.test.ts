// The exact text of what a command refuses: its words, and a container that is not as it needs it.
import "../bun_host.ts";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } from "../../syscalls/constants/fcntl.ts";
import { memfdCreate, tryAddSeals } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { saidBy } from "../refusal.ts";
import { type Spec, shell } from "../spec.ts";

const refusals = conformance("refusals");

/** A container that is there, and what is refused to a command that is about it. */
type OfContainer = {
  readonly title: string;
  readonly edit?: (spec: Spec) => void;
  /** Commands that succeed before. */
  readonly after?: readonly (readonly string[])[];
  readonly act?: (c: Fixture) => void | Promise<void>;
  readonly args: readonly string[];
  readonly faults?: string;
  /** The whole message. */
  readonly says: string;
};

const create = ["create", "--bundle", "BUNDLE", "ID"];
const start = ["start", "ID"];
const running = [create, start];
const sleeping = (spec: Spec): void => shell(spec, "exec sleep 1000");
const ends = (spec: Spec): void => shell(spec, "exit 0");
const stopped = async (c: Fixture): Promise<void> => {
  const { pid } = await c.state();
  assert.ok(await eventually(() => !isAlive(pid), 10));
};

const ofContainers: readonly OfContainer[] = [
  {
    title: "start [paused]",
    after: [create, ["pause", "ID"]],
    args: start,
    says: "cannot start a container in the paused state",
  },
  {
    title: "start [stopped]",
    edit: ends,
    after: running,
    act: stopped,
    args: start,
    says: "cannot start a container that has stopped",
  },
  {
    title: "delete [running]",
    edit: sleeping,
    after: running,
    args: ["delete", "ID"],
    says: "cannot delete container ID that is not stopped: running",
  },
  {
    title: "delete [paused]",
    edit: sleeping,
    after: [...running, ["pause", "ID"]],
    args: ["delete", "ID"],
    says: "cannot delete container ID that is not stopped: paused",
  },
  {
    title: "delete --force [the process does not die]",
    edit: sleeping,
    after: running,
    args: ["delete", "--force", "ID"],
    faults: "pidfd_send_signal:1:EPERM,kill:1:EPERM",
    says: "container init still running",
  },
  {
    title: "kill [not permitted]",
    after: [create],
    args: ["kill", "ID"],
    faults: "pidfd_send_signal:1:EPERM,kill:1:EPERM",
    says: "send signal 15: EPERM (operation not permitted)",
  },
  {
    title: "kill [gone meanwhile]",
    after: [create],
    args: ["kill", "ID"],
    faults: "pidfd_send_signal:1:ESRCH",
    says: "container not running",
  },
  {
    title: "kill [no such signal]",
    after: [create],
    args: ["kill", "ID", "NONSENSE"],
    says: 'unknown signal "NONSENSE"',
  },
  {
    title: "kill [stopped]",
    edit: ends,
    after: running,
    act: stopped,
    args: ["kill", "ID"],
    says: "container not running",
  },
  {
    title: "pause [stopped]",
    edit: ends,
    after: running,
    act: stopped,
    args: ["pause", "ID"],
    says: "container not running: it is stopped",
  },
  {
    title: "pause [paused]",
    after: [create, ["pause", "ID"]],
    args: ["pause", "ID"],
    says: "container not running: it is paused",
  },
  { title: "resume [not paused]", after: [create], args: ["resume", "ID"], says: "container not paused" },
  {
    title: "exec [stopped]",
    edit: ends,
    after: running,
    act: stopped,
    args: ["exec", "ID", "true"],
    says: "exec failed: cannot exec in a stopped container",
  },
  {
    title: "exec [paused]",
    after: [create, ["pause", "ID"]],
    args: ["exec", "ID", "true"],
    says: "exec failed: cannot exec in a paused container (use --ignore-paused to override)",
  },
  {
    title: "exec [no program]",
    after: [create],
    args: ["exec", "ID"],
    says: "exec failed: exec args cannot be empty",
  },
  {
    title: "exec [no such program]",
    after: [create],
    args: ["exec", "ID", "nonesuch"],
    says: 'exec failed: unable to start container process: exec: "nonesuch": executable file not found in $PATH',
  },
  {
    title: "exec [a user's name]",
    after: [create],
    args: ["exec", "--user", "root", "ID", "true"],
    says: 'exec failed: invalid uid "root": a number from 0 to 4294967294 is wanted',
  },
  {
    title: "exec [a group's name]",
    after: [create],
    args: ["exec", "--user", "0:root", "ID", "true"],
    says: 'exec failed: invalid gid "root": a number from 0 to 4294967294 is wanted',
  },
  {
    title: "exec [a user too many]",
    after: [create],
    args: ["exec", "--user", "0:0:0", "ID", "true"],
    says: 'exec failed: invalid user "0:0:0": UID[:GID] is wanted',
  },
  {
    title: "exec [an additional group's name]",
    after: [create],
    args: ["exec", "-g", "x", "ID", "true"],
    says: 'exec failed: invalid additional gid "x": a number from 0 to 4294967294 is wanted',
  },
  {
    title: "exec [a controller that is not there]",
    after: [create],
    args: ["exec", "--cgroup", "nonsense:x", "ID", "true"],
    says: "exec failed: unknown controller nonsense in --cgroup nonsense:x",
  },
  {
    title: "exec [a cgroup outside]",
    after: [create],
    args: ["exec", "--cgroup", "../x", "ID", "true"],
    says: "exec failed: bad sub cgroup path: ../x",
  },
  {
    title: "exec [a console socket, no terminal]",
    after: [create],
    args: ["exec", "--console-socket", "x", "ID", "true"],
    says: "exec failed: cannot use console socket if runt will not detach or allocate tty",
  },
  {
    title: "exec [a terminal, detached, no console socket]",
    after: [create],
    args: ["exec", "-t", "-d", "ID", "true"],
    says: "exec failed: cannot allocate tty if runt will detach without setting console socket",
  },
  {
    title: "exec [killed on its way]",
    after: [create],
    args: ["exec", "ID", "true"],
    faults: "setresuid:1:KILL",
    says: "exec failed: unable to start container process: exec process ended with status 137 before its program ran (possibly OOM-killed)",
  },
  {
    title: "events [an interval of nothing]",
    after: [create],
    args: ["events", "--interval", "0s", "ID"],
    says: "duration interval must be greater than 0",
  },
  {
    title: "update [a cache schema where there is no Intel RDT]",
    after: [create],
    args: ["update", "--l3-cache-schema", "L3:0=f", "ID"],
    says: "Intel RDT/CAT: l3 cache schema is not enabled",
  },
  {
    title: "update [stopped]",
    edit: ends,
    after: running,
    act: stopped,
    args: ["update", "--pids-limit", "5", "ID"],
    says: "container not running: it is stopped",
  },
  {
    title: "ps [no PID column]",
    after: [create],
    args: ["ps", "ID", "-o", "comm"],
    says: "couldn't find PID field in ps output",
  },
  {
    title: "create [the id is taken]",
    after: [create],
    args: create,
    says: "runt create failed: container with given ID already exists",
  },
  {
    title: "create [a console socket whose path is too long]",
    edit: (spec) => {
      spec.process.terminal = true;
    },
    args: ["create", "--bundle", "BUNDLE", "--console-socket", `/tmp/${"x".repeat(110)}`, "ID"],
    says: "runt create failed: /tmp/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx is longer than the 107 bytes of a socket address",
  },
  {
    title: "create [a terminal without a console socket]",
    edit: (spec) => {
      spec.process.terminal = true;
    },
    args: create,
    says: "runt create failed: cannot allocate tty if runt will detach without setting console socket",
  },
  {
    title: "create [a console socket without a terminal]",
    args: ["create", "--bundle", "BUNDLE", "--console-socket", "x", "ID"],
    says: "runt create failed: cannot use console socket if runt will not detach or allocate tty",
  },
  {
    title: "create [no config.json]",
    act: (c) => rmSync(join(c.bundle, "config.json")),
    args: create,
    says: "runt create failed: JSON specification file config.json not found (DIR/bundle/config.json)",
  },
  {
    title: "create [a state root that everybody may write to]",
    act: (c) => {
      mkdirSync(c.root);
      chmodSync(c.root, 0o777);
    },
    args: create,
    says: "runt create failed: state root DIR/state may be written by everybody",
  },
  {
    title: "create [--no-pivot and rootfsPropagation]",
    edit: (spec) => {
      spec.linux.rootfsPropagation = "private";
    },
    args: ["create", "--no-pivot", "--bundle", "BUNDLE", "ID"],
    says: "runt create failed: rootfsPropagation of [r]private is not safe without pivot_root",
  },
  {
    title: "list [a root that is not there]",
    args: ["list"],
    says: "open DIR/state: no such file or directory",
  },
  {
    title: "list [an unknown format]",
    args: ["list", "--format", "x"],
    says: "invalid format option (table and json are accepted)",
  },
  {
    title: "ps [an unknown format]",
    after: [create],
    args: ["ps", "--format", "x", "ID"],
    says: "invalid format option (table and json are accepted)",
  },
  {
    title: "spec [there is one]",
    args: ["spec", "--bundle", "BUNDLE"],
    says: "File config.json exists. Remove it first",
  },
  { title: "state [no such container]", args: ["state", "ID"], says: "container does not exist" },
  {
    title: "state [a bad id]",
    args: ["state", "a/b"],
    says: "invalid container ID format (letters, digits and _ + - . are accepted)",
  },
  { title: "state [an empty id]", args: ["state", ""], says: "container id cannot be empty" },
];

for (const each of ofContainers)
  refusals(
    each.title,
    async (c) => {
      c.configure((spec) => each.edit?.(spec));
      const words = (args: readonly string[]): string[] =>
        args.map((word) => (word === "ID" ? c.id : word === "BUNDLE" ? c.bundle : word));
      for (const args of each.after ?? []) succeed(await c.runt(words(args)));
      await each.act?.(c);
      assert.is(await saidBy(c, words(each.args), each), each.says);
    },
    { needs: ["built", ...(each.faults === undefined ? [] : (["faults"] as const))] },
  );

refusals(
  "a record that is not of a container",
  async (c) => {
    succeed(await c.create());
    const file = join(c.root, c.id, "state.json");
    const record = readFileSync(file);
    writeFileSync(file, "{}");
    assert.is(await saidBy(c, ["state", c.id]), "DIR/state/ID/state.json is not the state of a container");
    writeFileSync(file, record);
  },
  { needs: ["built"] },
);

refusals(
  "a start that pretends to be the sealed one",
  async (c) => {
    // Only with all that the first start makes; what is less is a variable of the caller's, and nothing to us.
    const memfd = memfdCreate("forged");
    assert.is(tryAddSeals(memfd, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    const prepare = (): string => `exec 3<>/proc/${process.pid}/fd/${memfd}`;
    try {
      assert.is(
        await saidBy(c, ["create", c.id], { environment: { RUNT_SEALED_FD: "3" }, prepare }),
        "RUNT_SEALED_FD is set, but this program does not run from a sealed file",
      );
    } finally {
      close(memfd);
    }
  },
  { needs: ["built", "unshare", "mount"] },
);

refusals(
  "list [a record that is not of a container: told, and the others are listed]",
  async (c) => {
    succeed(await c.create());
    mkdirSync(join(c.root, "other"));
    writeFileSync(join(c.root, "other/state.json"), "{}");
    const { stdout, stderr } = succeed(await c.runt(["list", "--quiet"]));
    assert.is(stdout, `${c.id}\n`);
    const text = `load container other: ${c.root}/other/state.json is not the state of a container`;
    assert.match(stderr, `level=warning msg="${text}"\n`);
    rmSync(join(c.root, "other"), { recursive: true });
  },
  { needs: ["built"] },
);

/** Words on the command line, and the last line of stderr. */
const lines: readonly (readonly [args: readonly string[], says: string])[] = [
  [
    ["--rootless", "maybe", "list"],
    "invalid value for --rootless: maybe (true, false and auto are accepted)",
  ],
  [["--root", "", "list"], "Option --root argument should not be empty"],
  [["--root", "/", "list"], "Option --root argument should not be set to /"],
  [["--log-format", "x", "list"], "invalid log-format: x (text and json are accepted)"],
  [["nonsense"], "No help topic for 'nonsense'"],
  [["list", "--nonsense"], "flag provided but not defined: -nonsense"],
  [["list", "--format"], "flag needs an argument: -format"],
  [["state"], 'runt: "state" requires exactly 1 argument(s)'],
  [["state", "a", "b"], 'runt: "state" requires exactly 1 argument(s)'],
  [
    ["exec", "--preserve-fds", "x", "a", "b"],
    'invalid value "x" for flag -preserve-fds: parse error (a whole number in decimal is accepted)',
  ],
  [
    ["events", "--interval", "5", "a"],
    'invalid value "5" for flag -interval: parse error (numbers with a unit are accepted, such as "300ms", "5s" or "1m30s")',
  ],
  [
    ["list", "--quiet=maybe"],
    'invalid boolean value "maybe" for -quiet: parse error (true and false are accepted)',
  ],
  [["kill", "-9", "a", "TERM"], "two signals: 9 and TERM"],
  [["list", "---x"], "bad flag syntax: ---x"],
  [["completion", "tcsh"], "no completion for tcsh: bash, zsh and fish are known"],
];
for (const [args, says] of lines)
  refusals(
    `runt ${args.join(" ")}`,
    async () => {
      const { status, stderr } = await runCommand([runtimePath, ...args]);
      assert.is.not(status, 0);
      const message = /^time="[^"]*" level=error msg=("(?:[^"\\]|\\.)*")\n$/.exec(stderr)?.[1];
      assert.is(JSON.parse(message ?? '""'), says, stderr);
    },
    { needs: ["built"] },
  );

refusals.run();
