// --log and --log-format: the same bytes as runc writes, but for the time, wherever the log goes.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand, startCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath, testingRunc } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";

const log = conformance("log");

type Written = { readonly status: number | null; readonly stderr: string; readonly log: string };

/** Where the log goes: what --log is given in this directory, and how the log is read when the command has ended. */
type Destination = {
  readonly title: string;
  readonly path?: string;
  readonly prepare?: (dir: string) => () => Promise<string>;
};

const readLog = (dir: string) => async (): Promise<string> =>
  existsSync(join(dir, "log")) ? readFileSync(join(dir, "log"), "utf8") : "";

const destinations: readonly Destination[] = [
  { title: "stderr" },
  { title: "an empty name: stderr", path: "" },
  { title: "a file", path: "log", prepare: readLog },
  {
    title: "a file with a line in it",
    path: "log",
    prepare(dir) {
      writeFileSync(join(dir, "log"), "before\n");
      return readLog(dir);
    },
  },
  {
    title: "a fifo",
    path: "log",
    prepare(dir) {
      execFileSync("mkfifo", [join(dir, "log")]);
      const reader = startCommand(["cat", join(dir, "log")]);
      return async () => (await reader.done).stdout;
    },
  },
  { title: "a directory that is not there", path: "none/log" },
  { title: "a directory", path: "." },
];

/** Words of a command that fails. */
const failures: readonly (readonly string[])[] = [
  ["state", "nobody"],
  ["state", "a/b"],
  ["kill", "nobody", "KILL"],
  ["list", "--format", "x"],
  ["list", '--no"<>&\\ä'],
  ["list", "--format"],
  ["delete", "nobody"],
  ["create", "--bundle", "/nonexistent", "c"],
];

async function write(
  runtime: string,
  c: Fixture,
  options: string[],
  args: readonly string[],
  to: Destination,
) {
  const dir = mkdtempSync(join(c.dir, "log-"));
  const root = join(dir, "root");
  mkdirSync(root, { mode: 0o700 });
  const read = to.prepare?.(dir);
  const where = to.path === undefined ? [] : ["--log", to.path];
  const result = await runCommand([runtime, "--root", root, ...options, ...where, ...args], { cwd: dir });
  const written: Written = { status: result.status, stderr: result.stderr, log: (await read?.()) ?? "" };
  return normal(written, dir);
}

/** Without the time and what would be accepted; with runc's words for the program and for an errno, which are not the log's business. */
function normal({ status, stderr, log: text }: Written, dir: string): Written {
  const same = (words: string): string =>
    words
      .replaceAll(dir, "DIR")
      .replace(/ \([^()]* (is|are) accepted\)/g, "")
      .replace(/\brun[tc] (?=create failed)/g, "")
      .replace(/: E[A-Z]+ \(([^)]*)\)/g, ": $1")
      // What cannot be opened is named by its path as a whole here, as it was given in runc.
      .replace(/open (DIR)?\/?(none\/log)?(?=: )/g, "open LOG")
      .replace(/open \.(?=: )/g, "open LOG")
      .replace(/time(="|":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"/g, 'time$1TIME"');
  return { status, stderr: same(stderr), log: same(text) };
}

for (const to of destinations)
  for (const format of ["text", "json"])
    log(
      `${format} to ${to.title}: what runc writes`,
      async (c) => {
        for (const args of failures) {
          const options = [`--log-format=${format}`];
          const ours = await write(runtimePath, c, options, args, to);
          assert.equal(ours, await write(runcPath(), c, options, args, to), args.join(" "));
          assert.match(ours.log + ours.stderr, "TIME");
        }
      },
      { needs: ["runc"] },
    );

log("a log that is full loses the record, not the message, and says so once", async (c) => {
  const full = /^Failed to write to log, write \/dev\/full: .*no space left on device\)?\n/;
  const { stderr } = refuse(await c.runt(["--log", "/dev/full", "state", c.id]));
  assert.match(stderr, full);
  assert.is(stderr.replace(full, ""), "container does not exist\n");
  if (testingRunc) return; // which says it at each record
  // Also of warnings, upon which nothing is said otherwise.
  c.configure((spec) => Object.assign(spec, { mount: [], hook: {} }));
  const fine = succeed(await c.runt(["--log", "/dev/full", "--debug", "run", "--bundle", c.bundle, c.id]));
  assert.is(fine.stderr.replace(full, ""), "");
});

log("a log that is made is the owner's to write, and a success leaves it empty", async (c) => {
  succeed(await runCommand(["sh", "-c", 'umask 022; exec "$@"', "sh", ...list(c)], { cwd: c.dir }));
  assert.is(readFileSync(join(c.dir, "log"), "utf8"), "");
  assert.is(statSync(join(c.dir, "log")).mode & 0o7777, 0o644);
});

function list(c: Fixture): string[] {
  mkdirSync(c.root, { mode: 0o700 });
  return [runtimePath, "--root", c.root, "--log", "log", "list"];
}

log("a relative --log is of the caller's directory, not of the bundle", async (c) => {
  writeFileSync(join(c.bundle, "config.json"), "{}");
  const args = [runtimePath, "--root", "state", "--log", "log", "create", "--bundle", c.bundle, c.id];
  refuse(await runCommand(args, { cwd: c.dir }));
  assert.match(
    readFileSync(join(c.dir, "log"), "utf8"),
    /^time="[^"]*" level=error msg="run[tc] create failed: /,
  );
});

log.run();
