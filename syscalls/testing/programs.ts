/** Programs that unit tests start, talk to and end; and this process itself, forked. Nothing outlives a test that waits. */
import { EAGAIN } from "../constants/errno.ts";
import { O_RDWR } from "../constants/fcntl.ts";
import { cstr } from "../cstring.ts";
import { dup3, pipe } from "../descriptor.ts";
import { OpError } from "../error.ts";
import { tryRead, writeAll } from "../io.ts";
import { CWD, close, openat } from "../open.ts";
import { poll, sleepMs } from "../poll.ts";
import { type ExitInfo, execve, exitGroup, stringArray, tryKill, waitFor } from "../process.ts";
import { SIGCHLD, SIGKILL } from "../signal.ts";
import { environmentEntries } from "../start.ts";
import { call } from "../syscall.ts";
import type { Fd, Pid } from "../types.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";
import { chdir } from "../working_directory.ts";

/** Where one of a program's first three descriptors comes from; "pipe" is an end for the test. */
export type Stream = Fd | "inherit" | "null" | "pipe";

export interface Starting {
  readonly stdin?: Stream;
  readonly stdout?: Stream;
  readonly stderr?: Stream;
  readonly cwd?: string;
  /** Variables beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A child of this process. */
export interface Program {
  readonly pid: Pid;
  /** The other ends of what was to be a pipe. */
  readonly pipes: readonly (Fd | undefined)[];
  /** Through the pipe of standard input. */
  write(text: string): void;
  /** By SIGKILL, unless it has ended. */
  kill(signal?: number): void;
  /** Closes the pipes and waits for its end; again, says the same. */
  wait(): ExitInfo;
  /** kill and wait. */
  end(): void;
}

/** Starts the program `words[0]`, by its path or by its name in PATH; status 127 when there is none. */
export function start(words: readonly string[], options: Starting = {}): Program {
  const { stdin = "null", stdout = "inherit", stderr = "inherit", cwd, env = {} } = options;
  return forked([stdin, stdout, stderr], () => {
    if (cwd !== undefined) chdir(cwd);
    const given = environmentEntries().map((entry) => entry.split(/=(.*)/s) as [string, string]);
    const variables: Record<string, string> = { ...Object.fromEntries(given), ...env };
    const [name = ""] = words;
    const list = stringArray(words);
    const values = stringArray(Object.entries(variables).map(([key, value]) => `${key}=${value}`));
    const folders = name.includes("/")
      ? [""]
      : (variables.PATH ?? "/usr/bin:/bin").split(":").map((dir) => `${dir}/`);
    for (const folder of folders) execve(cstr(folder + name), list, values);
    return 127;
  });
}

/** What a program said, and how it ended. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(words: readonly string[], options: Omit<Starting, "stdout" | "stderr"> = {}): Said {
  return listen(start(words, { ...options, stdout: "pipe", stderr: "pipe" }));
}

/** Forks this process; what `body` returns is the child's exit status, 70 when it throws: then stderr has the error. */
export function runForked(body: () => number): Said {
  return listen(forked(["null", "pipe", "pipe"], body));
}

/** Forks this process, which goes on beside it in `body`. */
export function startForked(body: () => number): Program {
  return forked(["null", "inherit", "inherit"], body);
}

function listen(program: Program): Said {
  const outputs = [program.pipes[1], program.pipes[2]] as Fd[];
  const parts: Uint8Array[][] = [[], []];
  const open = new Set([0, 1]);
  const buffer = new Uint8Array(65536);
  while (open.size > 0) {
    const waiting = [...open];
    const events = poll(
      waiting.map((i) => ({ fd: outputs[i] as Fd, events: 1 })),
      -1,
    );
    for (const [at, i] of waiting.entries()) {
      if (events[at] === 0) continue;
      const count = tryRead(outputs[i] as Fd, buffer);
      if (count > 0) parts[i]?.push(buffer.slice(0, count));
      else if (count !== -EAGAIN) open.delete(i);
    }
  }
  const [stdout = "", stderr = ""] = parts.map(textOf);
  return { status: program.wait().status, stdout, stderr };
}

function textOf(parts: readonly Uint8Array[]): string {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return decodeUtf8(all);
}

function forked(streams: readonly Stream[], body: () => number): Program {
  const pairs = streams.map((stream) => (stream === "pipe" ? pipe() : undefined));
  const own = pairs.map((pair, i) => pair?.[i === 0 ? 1 : 0]);
  const theirs = pairs.map((pair, i) => pair?.[i === 0 ? 0 : 1]);
  // As fork(2) does it, which valgrind knows.
  const pid = call("clone", [SIGCHLD, 0, 0, 0, 0]) as Pid;
  if (pid === 0) {
    try {
      for (const [i, stream] of streams.entries()) {
        const from =
          stream === "null" ? openat(CWD, "/dev/null", O_RDWR) : stream === "pipe" ? theirs[i] : stream;
        if (typeof from === "number" && from !== i) dup3(from, i as Fd, 0);
      }
      exitGroup(body());
    } catch (error) {
      writeAll(2 as Fd, encodeUtf8(`${error}\n`));
      exitGroup(70);
    }
  }
  for (const fd of theirs) if (fd !== undefined) close(fd);
  return programOf(pid, own);
}

function programOf(pid: Pid, pipes: readonly (Fd | undefined)[]): Program {
  let ended: ExitInfo | undefined;
  const kill = (signal: number = SIGKILL): void => {
    if (ended === undefined) tryKill(pid, signal);
  };
  const wait = (): ExitInfo => {
    if (ended !== undefined) return ended;
    for (const fd of pipes) if (fd !== undefined) close(fd);
    ended = waitFor(pid);
    if (ended === undefined) throw OpError.from("wait", `pid ${pid}`, EAGAIN);
    return ended;
  };
  return {
    pid,
    pipes,
    write: (text) => writeAll(pipes[0] as Fd, encodeUtf8(text)),
    kill,
    wait,
    end() {
      kill();
      wait();
    },
  };
}

/** Looks every `interval` ms, for a minute at most, until `condition` holds; says whether it does. */
export function waitUntil(condition: () => boolean, interval = 10): boolean {
  for (let waited = 0; waited < 60_000; waited += interval) {
    if (condition()) return true;
    sleepMs(interval);
  }
  return condition();
}
