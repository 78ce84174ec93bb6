// What people see: help, completion in real shells, and mistakes on the command line in runc's words.
import { dirname } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { findCommand, type Need, runtimePath } from "../needs.ts";

const suite = conformance("people");
/** The words and pages are runt's own. */
const people = (title: string, body: (c: Fixture) => Promise<void>, needs: readonly Need[] = []): void =>
  suite(title, body, { needs: ["built", ...needs] });
const runt = (...args: string[]): Promise<Result> => runCommand([runtimePath, ...args]);

people("the help names every command, and each has a page that says what it takes", async () => {
  const { stdout } = succeed(await runt("--help"));
  const names = [...stdout.matchAll(/^ {2}([a-z]+) +\S/gm)].map((match) => match[1] ?? "");
  for (const name of [
    "create",
    "start",
    "run",
    "exec",
    "kill",
    "delete",
    "state",
    "list",
    "ps",
    "spec",
    "update",
    "events",
  ])
    assert.ok(names.includes(name), name);
  for (const name of names.filter((each) => each !== "help" && each !== "completion")) {
    const page = succeed(await runt(name, "--help")).stdout;
    assert.match(page, new RegExp(`^Usage: runt ${name} \\[options\\]`));
    assert.is(succeed(await runt("help", name)).stdout, page);
    assert.is.not(page.split("\n")[2], "", `${name} has no description`);
    for (const line of page.split("\n")) assert.ok(line.length <= 100, line);
  }
});

const bash = `source <(runt completion bash)
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _runt; echo "\${COMPREPLY[@]}"; }
ask runt cr; ask runt exec --pre; ask runt --log-format ""; ask runt help sta; ask runt create --bundle ""`;
const zsh = `compdef() { :; }; compadd() { shift; print -r -- $@; }; _files() { print files; }
source <(runt completion zsh)
ask() { words=("$@"); CURRENT=$#; _runt; }
ask runt --log-format ""; ask runt create --bundle ""
unfunction _runt; runt completion zsh >$HOME/_runt; fpath=($HOME); autoload _runt; ask runt list --form`;
const fish = `runt completion fish | source
complete -C "runt --log-format "; complete -C "runt cr" | string replace -r '\\t.*' ''; true`;

for (const [shell, script, expected] of [
  ["bash", bash, "create\n--preserve-fds\ntext json\nstart state\n\n"],
  ["zsh", zsh, "text json\nfiles\n-f --format -q --quiet --help\n"],
  ["fish", fish, "json\ntext\ncreate\n"],
] as const)
  people(
    `completion in ${shell}`,
    async (c) => {
      const env = { PATH: `${dirname(runtimePath)}:${process.env.PATH}`, HOME: c.dir };
      const result = succeed(await runCommand([findCommand(shell) ?? shell, "-c", script], { env }));
      assert.is(result.stdout, expected);
    },
    [shell as Need],
  );

/** One record in the log on stderr that says this, with exit 1, and the usage line alone on stdout. */
async function mistake(args: string[], message: string): Promise<void> {
  const result = await runt(...args);
  assert.is(result.status, 1, args.join(" "));
  assert.is(result.stderr.replaceAll('\\"', '"').replace(/^.*? msg=/, ""), `"${message}"\n`);
  assert.match(result.stdout, /^Usage: runt \S+ \[options\][^\n]*\n$/);
}

const takes: readonly [name: string, counts: string][] = [
  ["create", "exactly 1"],
  ["start", "exactly 1"],
  ["run", "exactly 1"],
  ["state", "exactly 1"],
  ["pause", "exactly 1"],
  ["resume", "exactly 1"],
  ["delete", "exactly 1"],
  ["update", "exactly 1"],
  ["events", "exactly 1"],
  ["exec", "a minimum of 1"],
  ["kill", "a minimum of 1"],
  ["ps", "a minimum of 1"],
];
for (const [name, count] of takes)
  people(`${name} without an id, with an unknown flag, and with a flag that lacks its value`, async () => {
    await mistake([name], `runt: "${name}" requires ${count} argument(s)`);
    await mistake([name, "--nonsense"], "flag provided but not defined: -nonsense");
    await mistake([name, "-nonsense=1", "id"], "flag provided but not defined: -nonsense");
  });

people("too many arguments, and values that are missing", async () => {
  await mistake(["state", "a", "b"], 'runt: "state" requires exactly 1 argument(s)');
  await mistake(["kill", "a", "9", "c"], 'runt: "kill" requires a maximum of 2 argument(s)');
  for (const [name, flag] of [
    ["exec", "--cwd"],
    ["exec", "-u"],
    ["create", "--bundle"],
    ["run", "-pid-file"],
    ["ps", "-f"],
    ["update", "-r"],
    ["update", "--memory-swap"],
    ["events", "--interval"],
  ] as const)
    await mistake([name, flag], `flag needs an argument: -${flag.replace(/^-+/, "")}`);
});

people("engines probe for checkpoints by an exit status and by words", async () => {
  for (const name of ["checkpoint", "restore"]) succeed(await runt(name, "--help"));
  await mistake(["restore", "--lsm-mount-context"], "flag needs an argument: -lsm-mount-context");
});

people("help for what helps, and for what is not there", async () => {
  const page = succeed(await runt("completion", "--help")).stdout;
  assert.match(page, /^Usage: runt completion \[bash\|zsh\|fish\]\n/);
  assert.is(succeed(await runt("help", "completion")).stdout, page);
  assert.match(succeed(await runt("help", "--help")).stdout, /^Usage: runt help \[command\]\n/);
  const { status, stderr } = await runt("help", "nonsense");
  assert.is(status, 3);
  assert.match(stderr, "No help topic for 'nonsense'");
});

people("a command that is not there: which may have been meant", async () => {
  for (const [given, meant] of [
    ["statee", 'Did you mean "state"? '],
    ["Delete", 'Did you mean "delete"? '],
    ["craete", 'Did you mean "create"? '],
    ["hlep", 'Did you mean "help"? '],
    ["psp", 'Did you mean "ps"? '],
    ["nonsense", ""],
    ["rm", 'Use "runt delete ID". '],
    ["RM", 'Use "runt delete ID". '],
    ["stop", 'Use "runt kill ID", and then "runt delete ID". '],
    ["inspect", 'Use "runt state ID". '],
    ["ls", 'Use "runt list". '],
    ["unpause", 'Use "runt resume ID". '],
    ["stats", 'Use "runt events --stats ID". '],
    ["logs", "What a container prints goes to the standard output of who made it. "],
    ["snapshot", 'Use "runt checkpoint ID". '],
  ] as const) {
    const { status, stdout, stderr } = await runt(given, "x");
    assert.is(status, 3);
    assert.is(stdout, `${meant}"runt help" lists the commands.\n`);
    assert.match(stderr, new RegExp(`level=error msg="No help topic for '${given}'"\n$`));
  }
});

people("what is used instead is there", async () => {
  for (const word of "rm stop restart signal ls inspect top stats enter unpause suspend init version".split(
    " ",
  )) {
    const { stdout } = await runt(word);
    for (const [, name = ""] of stdout.matchAll(/"runt ([a-z-]+)/g))
      succeed(await (name === "--version" ? runt(name) : runt("help", name)));
    assert.match(stdout, /^(Use|A container) /, word);
  }
});

people("a mistake in front of the command: the usage line, then the error", async () => {
  const { status, stdout, stderr } = await runt("--nonsense", "list");
  assert.is(status, 1);
  assert.is(stdout, "Usage: runt [global options] <command> [options] [arguments]\n");
  assert.match(stderr, /level=error msg="flag provided but not defined: -nonsense"\n$/);
});

people("a page shows values beside their names, and no types", async () => {
  const page = succeed(await runt("exec", "--help")).stdout;
  assert.match(page, /^ {2}-u, --user UID\[:GID\] +user and group, as numbers$/m);
  assert.match(page, /^Examples:\n {2}runt exec -it web sh {2}/m);
  assert.not.match(page, /\[(string|boolean|default)/);
});

suite.run();
