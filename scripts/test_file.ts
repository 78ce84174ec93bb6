// Runs one *.test.ts as its own process: a unit test on the engine that ships (unit.ts), any other on Bun.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Report, readReport } from "./test_report.ts";
import { isUnitTest, nameBundle, unitCommand } from "./unit.ts";

const top = join(import.meta.dirname, "..");
const perFileSeconds = Number(process.env.RUNT_TEST_TIMEOUT ?? 240);

export type Outcome = Report & { readonly file: string; readonly seconds: number; readonly output: string };

/** A unit test has been made ready before. `env` is the whole environment. The file is killed, with all it started, after RUNT_TEST_TIMEOUT seconds. */
export function runFile(file: string, env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  const began = performance.now();
  return new Promise((resolve) => {
    let output = "";
    // Its own process group, so that a timeout ends what the file started as well.
    const [program, ...words] = isUnitTest(file) ? unitCommand(file) : [process.execPath, "run", file];
    const child = spawn(program, words, { cwd: top, detached: true, env });
    const add = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    }, perFileSeconds * 1000);
    const finish = (status: number | null): void => {
      clearTimeout(timer);
      const report = readReport(output, status, timedOut ? perFileSeconds : undefined);
      const seconds = (performance.now() - began) / 1000;
      resolve({ ...report, file, seconds, output: isUnitTest(file) ? nameBundle(file, output) : output });
    };
    // Not "close": a daemon that a test left behind may hold the pipe for ever.
    child.once("exit", (status) => setTimeout(() => finish(status), 50));
  });
}
