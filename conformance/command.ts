// Runs a program and says what became of it. Output goes to files, not pipes, unless asked: a container that
// is created and left alone keeps its output open, and waiting for the end of a pipe would wait for it.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Result = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
};

export type CommandOptions = {
  /** The whole environment; the harness's own when absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly timeoutSeconds?: number;
  /** Where standard output goes: a path. Otherwise a file that is read back into the result. */
  readonly stdout?: string;
  /** Connect output by pipes, and wait for their end. */
  readonly pipes?: boolean;
  /** Descriptors that the program inherits as 3, 4, … */
  readonly extraFds?: readonly number[];
};

export type Running = {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly done: Promise<Result>;
};

/** How much longer than usual to wait for anything: in an emulated machine, everything takes long. */
const timeoutFactor = Number(process.env.RUNT_TIMEOUT_FACTOR ?? 1);

export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<Result> {
  return startCommand(argv, options).done;
}

export function startCommand(argv: readonly string[], options: CommandOptions = {}): Running {
  const scratch = mkdtempSync(join(tmpdir(), "command-"));
  const out = options.stdout ?? join(scratch, "out");
  const err = join(scratch, "err");
  const outFd = openSync(out, "a");
  const errFd = openSync(err, "a");
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [
      options.stdin === undefined ? "ignore" : "pipe",
      options.pipes ? "pipe" : outFd,
      options.pipes ? "pipe" : errFd,
      ...(options.extraFds ?? []),
    ],
  });
  closeSync(outFd);
  closeSync(errFd);
  if (options.stdin !== undefined) {
    child.stdin?.on("error", () => {}); // the program need not read it
    child.stdin?.end(options.stdin);
  }
  const readBack = () => ({
    stdout: options.stdout ? "" : readFileSync(out, "utf8"),
    stderr: readFileSync(err, "utf8"),
  });
  const done = finish(child, options, readBack).finally(() =>
    rmSync(scratch, { recursive: true, force: true }),
  );
  return { pid: child.pid ?? -1, kill: (signal) => child.kill(signal), done };
}

function finish(
  child: ChildProcess,
  options: CommandOptions,
  readBack: () => { stdout: string; stderr: string },
): Promise<Result> {
  const piped = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    piped.stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    piped.stderr += String(chunk);
  });
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(
      () => {
        timedOut = true;
        child.kill("SIGKILL");
      },
      (options.timeoutSeconds ?? 30) * timeoutFactor * 1000,
    );
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once(options.pipes ? "close" : "exit", (status: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      resolve({ status, signal, timedOut, ...(options.pipes ? piped : readBack()) });
    });
  });
}

export const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Polls until the condition holds; false when it never did. */
export async function eventually(condition: () => boolean | Promise<boolean>, seconds = 5): Promise<boolean> {
  const end = Date.now() + seconds * timeoutFactor * 1000;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await sleep(0.01);
  }
  return true;
}
