/** argv -> command -> exit status. The only place that catches everything. */
import type { RuntimeContext } from "../runtime/context.ts";
import {
  ignoreWriteSignals,
  openClosedStreams,
  programArguments,
  refuseSetId,
  traceTo,
} from "../runtime/self/command.ts";
import { armInjectedFaults, resumeSealed, sealSelf } from "../runtime/self/seal.ts";

import { commands } from "./commands.ts";
import { candidates } from "./completion.ts";
import { exitFailure, NoSuchCommand, stackOf } from "./exit.ts";
import { checkGlobals, logSettings, readGlobals } from "./global_options.ts";
import { serve, showHelp, showNearest, showUsage } from "./help.ts";
import { createLog, type Log } from "./log.ts";
import { UsageError } from "./options.ts";
import { writeStdout } from "./output.ts";
import { sealedCommands } from "./sealed_commands.ts";
import { versionText } from "./version.ts";

/** What a failure has to be reported with, as far as the command line has been understood. */
interface Progress {
  log: Log;
  /** The command whose usage belongs to a mistake. */
  named?: string;
  /** The command whose prefix belongs to a failure. */
  begun?: string;
}

/** Returns the exit status. */
export function main(): number {
  const [invoked = "", ...argv] = programArguments();
  const invokedAs = invoked.slice(invoked.lastIndexOf("/") + 1) || "runt";
  // In messages and help, where engines look for one of two names.
  const program = invokedAs === "runc" ? "runc" : "runt";
  const progress: Progress = { log: createLog({ format: "text", debug: false }) };
  try {
    ignoreWriteSignals();
    openClosedStreams();
    armInjectedFaults();
    refuseSetId();
    sealEarly(argv);
    return dispatch(program, invokedAs, argv, progress);
  } catch (error) {
    return report(error, program, progress);
  }
}

const asksForHelp = (word: string): boolean => /^--?h(elp)?$/.test(word);

/**
 * A second start takes over what the first has left. The first of a command that is sealed has nothing else to do: what is
 * wrong with its line the second will say. A word that is such a command's name is enough, as sealing for nothing is
 * harmless. What fails here is tried again below, where there is a log to say why.
 */
function sealEarly(argv: readonly string[]): void {
  try {
    if (resumeSealed() || argv[0] === "--complete" || argv.some(asksForHelp)) return;
    if (argv.some((word) => sealedCommands.has(word))) sealSelf();
  } catch {}
}

function dispatch(program: string, invokedAs: string, argv: readonly string[], progress: Progress): number {
  if (argv[0] === "--complete") {
    writeStdout(
      candidates(argv.slice(1))
        .map((word) => `${word}\n`)
        .join(""),
    );
    return 0;
  }
  const { options, args, help } = readGlobals(argv);
  if (options.version) {
    writeStdout(versionText(invokedAs));
    return 0;
  }
  const [given, ...words] = args;
  if (help || given === undefined) {
    showHelp(program);
    return 0;
  }
  const name = given === "h" ? "help" : given;
  const log = createLog(logSettings(options));
  progress.log = log;
  const sealed = sealedCommands.has(name);
  // A question for help is spared that; what only looks like one is sealed below, once the line has been read.
  const perhapsHelp = sealed && words.some(asksForHelp);
  if (sealed && !perhapsHelp) sealSelf();
  // As runc: of a log that cannot be opened is told before all else.
  if (!perhapsHelp) log.open();
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new NoSuchCommand(name);
  if (entry.command === undefined) {
    serve(program, name, words);
    return 0;
  }
  progress.named = name;
  const ready = entry.command.prepare(program, name, words);
  if (ready.help) {
    showHelp(program, name);
    return 0;
  }
  if (perhapsHelp) sealSelf();
  log.open();
  // Not before: of a sealed start the caller's environment is what it carries, not what it has.
  const { trace, ...settings } = checkGlobals(options);
  if (trace !== undefined) traceTo(trace);
  progress.begun = name;
  const context: RuntimeContext = {
    ...settings,
    warn: log.warn,
    debugLog: log.debug,
  };
  return ready.run(context) ?? 0;
}

function report(error: unknown, program: string, { log, named, begun }: Progress): number {
  const { code, message } = exitFailure(error, program, begun);
  // As runc on stdout, then the record, which people read last. Help that cannot be printed hides no mistake.
  try {
    if (error instanceof UsageError) showUsage(program, named);
    if (error instanceof NoSuchCommand) showNearest(program, error.given);
  } catch {}
  log.debug(stackOf(error));
  log.error(message);
  return code;
}
