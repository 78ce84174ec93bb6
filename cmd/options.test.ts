import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "./commands.ts";
import { globalOptions } from "./global_options.ts";
import { commandParser } from "./help.ts";
import { checkCount, type OptionTable, readArgv, UsageError, ungroup } from "./options.ts";

const table = {
  bundle: { kind: "string", short: "b", description: "" },
  format: { kind: "string", description: "", default: "table" },
  count: { kind: "number", description: "", default: 0 },
  force: { kind: "boolean", short: "f", description: "" },
  env: { kind: "string[]", short: "e", description: "" },
  interval: { kind: "duration", description: "", default: "5s" },
} as const satisfies OptionTable;

const none = {
  bundle: undefined,
  format: "table",
  count: 0,
  force: false,
  env: [],
  interval: 5_000_000_000n,
};

const reader = suite("readArgv");

const accepted: [string, object, string[]][] = [
  ["", {}, []],
  ["a", {}, ["a"]],
  ["-", {}, ["-"]],
  ["--bundle x a", { bundle: "x" }, ["a"]],
  ["--bundle=x a", { bundle: "x" }, ["a"]],
  ["-bundle x a", { bundle: "x" }, ["a"]],
  ["-bundle=x=y a", { bundle: "x=y" }, ["a"]],
  ["-b x a", { bundle: "x" }, ["a"]],
  ["a -b x", { bundle: "x" }, ["a"]],
  ["-b -f a", { bundle: "-f" }, ["a"]],
  ["-b= a", { bundle: "" }, ["a"]],
  ["-b x -b y", { bundle: "y" }, []],
  ["-force a", { force: true }, ["a"]],
  ["--force=false a", {}, ["a"]],
  ["--force=1 a", { force: true }, ["a"]],
  ["--force false", { force: true }, ["false"]],
  ["--count -1", { count: -1 }, []],
  ["--interval 1m30s", { interval: 90_000_000_000n }, []],
  ["--interval=-1ns", { interval: -1n }, []],
  ["-e A=1,2 -e B", { env: ["A=1,2", "B"] }, []],
  ["-fb x a", { force: true, bundle: "x" }, ["a"]],
  ["-fb=x=y a", { force: true, bundle: "x=y" }, ["a"]],
  ["a -fe A", { force: true, env: ["A"] }, ["a"]],
  ["-ff=false a", {}, ["a"]],
  ["-b -fb a", { bundle: "-fb" }, ["a"]],
  ["-- -b x", {}, ["-b", "x"]],
  ["-- -fb", {}, ["-fb"]],
  ["a -- --force", {}, ["a", "--force"]],
];
for (const [line, values, args] of accepted)
  reader(`accepts "${line}"`, () => {
    const read = readArgv(table, words(line), false);
    assert.equal(read.options, { ...none, ...values });
    assert.equal(read.args, args);
  });

const wholeNumber = " (a whole number in decimal is accepted)";
const withUnit = ' (numbers with a unit are accepted, such as "300ms", "5s" or "1m30s")';
const refused: [string, string][] = [
  ["-bf x", "flag provided but not defined: -bf"],
  ["-fx", "flag provided but not defined: -fx"],
  ["--fb x", "flag provided but not defined: -fb"],
  ["-fb", "flag needs an argument: -b"],
  ["-f=maybe", 'invalid boolean value "maybe" for -f: parse error (true and false are accepted)'],
  ["--bundle", "flag needs an argument: -bundle"],
  ["a -b", "flag needs an argument: -b"],
  ["--nope", "flag provided but not defined: -nope"],
  ["a --nope=1", "flag provided but not defined: -nope"],
  ["--constructor", "flag provided but not defined: -constructor"],
  ["-9", "flag provided but not defined: -9"],
  ["---force", "bad flag syntax: ---force"],
  ["--=x", "bad flag syntax: --=x"],
  ["--force=maybe", 'invalid boolean value "maybe" for -force: parse error (true and false are accepted)'],
  ["--count x", `invalid value "x" for flag -count: parse error${wholeNumber}`],
  ["--count 010", `invalid value "010" for flag -count: parse error${wholeNumber}`],
  [
    "--count 99999999999999999999",
    `invalid value "99999999999999999999" for flag -count: value out of range${wholeNumber}`,
  ],
  ["--interval 5", `invalid value "5" for flag -interval: parse error${withUnit}`],
  ["--interval=", `invalid value "" for flag -interval: parse error${withUnit}`],
  ["--interval", "flag needs an argument: -interval"],
];
for (const [line, message] of refused)
  reader(`refuses "${line}"`, () => {
    assert.throws(
      () => readArgv(table, words(line), false),
      (error: unknown) => error instanceof UsageError && error.message === message,
    );
  });

reader("leaves everything behind the first word alone when flags come first", () => {
  const { options, args } = readArgv(table, words("-f id ls -l -- --help"), true);
  assert.is(options.force, true);
  assert.equal(args, ["id", "ls", "-l", "--", "--help"]);
});

reader("knows --help and -h among the options only", () => {
  for (const line of ["--help", "-h", "-help", "a --help", "--help=true"])
    assert.is(readArgv(table, words(line), false).help, true, line);
  for (const line of ["-- --help", "--help=false", "-b --help"])
    assert.is(readArgv(table, words(line), false).help, false, line);
});
reader.run();

const count = suite("checkCount");
count("says what runc says", () => {
  const message = (have: number, min: number, max: number) => {
    try {
      checkCount("runc", "kill", have, min, max);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  assert.is(message(2, 1, 2), undefined);
  assert.is(message(0, 1, 2), 'runc: "kill" requires a minimum of 1 argument(s)');
  assert.is(message(3, 1, 2), 'runc: "kill" requires a maximum of 2 argument(s)');
  assert.is(message(2, 1, 1), 'runc: "kill" requires exactly 1 argument(s)');
});
count.run();

const both = suite("the small reader and yargs");

both("what is no option becomes one: the signal of kill", () => {
  const rewritten = (line: string) => (commandNamed("kill").rewrite?.(words(line)) ?? []).join(" ");
  assert.is(rewritten("-9 a"), "--signal=9 a");
  assert.is(rewritten("a -KILL"), "a --signal=KILL");
  assert.is(rewritten("-sighup a"), "--signal=sighup a");
  assert.is(rewritten("-RTMIN+3 a"), "--signal=RTMIN+3 a");
  for (const line of ["-a a 9", "-all a", "-99 a", "--9 a", "a -- -9", "-s HUP a"])
    assert.is(rewritten(line), line);
});

const lines: Readonly<Record<string, readonly string[]>> = {
  create: [
    "a",
    "",
    "a b",
    "--bundle /x a",
    "-bundle=/x a",
    "-b /x a",
    "a -b /x",
    "a -b",
    "--bundle -x a",
    "--preserve-fds 3 a",
    "--preserve-fds=x a",
    "--preserve-fds 010 a",
    "--no-pivot a",
    "-no-pivot a",
    "--no-pivot=true a",
    "--no-pivot=false a",
    "--pivot a",
    "--no-no-pivot a",
    "--noPivot a",
    "-nb /x a",
    "--detach a",
    "-- -b",
    "-- -b c",
    "--console-socket s --pid-file p --pidfd-socket q --no-new-keyring a",
    "--bundle a --bundle b c",
    "--bundle.x y a",
  ],
  run: ["-d a", "-detach --keep -no-subreaper a", "--no-subreaper=x=y", "-db /x a", "--keep"],
  kill: [
    "a",
    "a KILL",
    "a b c",
    "",
    "--all a 9",
    "-a a TERM",
    "a --all",
    "a --x",
    "--x a",
    "-all",
    "a -- b",
    "-9 a",
    "a -9",
    "-KILL a",
    "-sigterm a",
    "-RTMIN+3 a",
    "-99 a",
    "-NONE a",
    "--KILL a",
    "-s HUP a",
    "-as HUP a",
    "-s",
    "-- -9",
  ],
  delete: ["a", "-f a", "--force a", "a --force", "a -f", "-ff a", "--force", "-- -a"],
  list: ["", "-q", "--format json", "-f json -q", "-f", "x", "--quiet=true", "-qf json"],
  state: ["a", "", "a b", "--all a", "-"],
  start: ["a", "a b", "-d a"],
  events: ["a", "--stats a", "--interval 1s a", "--interval=1 a", "a -interval 2m", "-stats=true a", "a b"],
  update: [
    "a",
    "",
    "-r - a",
    "--resources=/x a",
    "--memory -1 a",
    "--pids-limit x a",
    "--pids-limit -1 a",
    "-m 1 a",
  ],
  spec: ["", "--rootless", "--bundle /x", "-b", "extra", "-b /x --rootless"],
};
for (const [name, list] of Object.entries(lines))
  for (const line of list)
    both(`agree on "${name} ${line}"`, () => {
      assert.is(yargsAccepts(name, asYargs(name, words(line))), readerAccepts(name, words(line)));
    });

both("differ only where yargs cannot be taught: it takes any value after the = of a boolean", () => {
  assert.is(readerAccepts("list", ["--quiet=maybe"]), false);
  assert.is(yargsAccepts("list", ["--quiet=maybe"]), true);
});
both.run();

/** Groups of letters beside names of one dash, and the signals of kill, are what yargs cannot be taught. */
function asYargs(name: string, argv: readonly string[]): string[] {
  const { options, rewrite } = commandNamed(name);
  const end = argv.indexOf("--");
  const known = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  return [...(rewrite?.(known) ?? known).flatMap((word) => ungroup(options, word) ?? [word]), ...rest];
}

function words(line: string): string[] {
  return line === "" ? [] : line.split(" ");
}

// podman takes this text for the proof that a command knows a flag: `RUNTIME restore --lsm-mount-context`.
const lacking = suite("a flag that lacks its value");
const tables: [string, OptionTable][] = [
  ["", globalOptions],
  ...commands.map(({ name, command }): [string, OptionTable] => [name, command?.options ?? {}]),
];
for (const [name, table] of tables)
  lacking(`runt ${name}: all of its flags say so`, () => {
    for (const [long, { kind, short }] of Object.entries(table))
      for (const word of [`--${long}`, `-${long}`, ...(short === undefined ? [] : [`-${short}`])]) {
        if (kind.startsWith("boolean")) assert.not.throws(() => readArgv(table, [word], false));
        else {
          const text = `flag needs an argument: -${word.replace(/^-+/, "")}`;
          assert.throws(
            () => readArgv(table, [word], false),
            (error: Error) => error.message === text,
          );
        }
      }
  });
lacking.run();

function commandNamed(name: string) {
  const command = commands.find((entry) => entry.name === name)?.command;
  if (command === undefined) throw new Error(`no command ${name}`);
  return command;
}

function readerAccepts(name: string, argv: string[]): boolean {
  const command = commandNamed(name);
  try {
    command.prepare("runt", name, argv);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function yargsAccepts(name: string, argv: string[]): boolean {
  const command = commandNamed(name);
  let refusal: unknown;
  commandParser("runt", command).parse(argv, {}, (error: unknown) => {
    refusal = error;
  });
  return refusal === undefined || refusal === null;
}
