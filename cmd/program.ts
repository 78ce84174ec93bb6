/**
 * argv -> command -> exit code, for main.ts. Loads nothing that the command does not need, and ends by exit_group: no handler of
 * the engine runs afterwards. The only place that catches everything.
 */
import type { RuntimeContext } from "../runtime/context.ts";
import { exitGroup, refuseSetId, traceTo } from "../runtime/host.ts";
import { commands } from "./commands.ts";
import { failure, NoSuchCommand, stackOf } from "./exit.ts";
import { checkGlobals, type GlobalValues, logSettings, readGlobals } from "./global_options.ts";
import { createLog } from "./log.ts";
import { UsageError } from "./options.ts";
import { writeStdout } from "./output.ts";
import { sealedCommands } from "./sealed_commands.ts";

// Bun fills argv[0] with its own name; argv0 is what the caller wrote.
const invokedAs = process.argv0.split("/").pop() || "runt";
/** In messages and help, where engines look for one of two names. */
const program = invokedAs === "runc" ? "runc" : "runt";
let log = createLog({ format: "text", debug: false });
/** The command whose usage belongs to a mistake, and whose prefix to a failure. */
let named: string | undefined;
let begun: string | undefined;

exitGroup(await main(process.argv.slice(2)).catch(report));

async function main(argv: readonly string[]): Promise<number> {
  refuseSetId();
  if (argv[0] === "--complete") {
    const found = await (await import("./completion.ts")).candidates(argv.slice(1));
    writeStdout(found.map((word) => `${word}\n`).join(""));
    return 0;
  }
  const { options, args, help } = readGlobals(argv);
  if (options.version) {
    writeStdout((await import("./version.ts")).versionText(invokedAs));
    return 0;
  }
  const [name, ...words] = args;
  if (help || name === undefined) {
    await (await import("./help.ts")).showHelp(program);
    return 0;
  }
  return dispatch(options, name === "h" ? "help" : name, words);
}

async function dispatch(options: GlobalValues, name: string, words: readonly string[]): Promise<number> {
  log = createLog(logSettings(options));
  const sealed = sealedCommands.has(name);
  // Before anything else: the first start of such a command replaces itself here. A question for help is spared
  // that; what only looks like one is sealed below, once the line has been read.
  const perhapsHelp = sealed && words.some((word) => /^--?h(elp)?$/.test(word));
  if (sealed && !perhapsHelp) await seal();
  // As runc: of a log that cannot be opened is told before all else.
  if (!perhapsHelp) log.open();
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new NoSuchCommand(name);
  if (entry.load === undefined) {
    await (await import("./help.ts")).serve(program, name, words);
    return 0;
  }
  named = name;
  const ready = (await entry.load()).prepare(program, name, words);
  if (ready.help) {
    await (await import("./help.ts")).showHelp(program, name);
    return 0;
  }
  if (perhapsHelp) await seal();
  log.open();
  // Not before: of a sealed start the caller's environment is what it carries, not what it has.
  const { trace, ...settings } = checkGlobals(options);
  if (trace !== undefined) traceTo(trace);
  begun = name;
  const context: RuntimeContext = {
    ...settings,
    debug: options.debug,
    warn: log.warn,
    debugLog: log.debug,
  };
  return ready.run(context) ?? 0;
}

async function seal(): Promise<void> {
  (await import("../runtime/process/seal.ts")).sealSelf();
}

async function report(error: unknown): Promise<number> {
  const { code, message } = failure(error, program, begun);
  // As runc: the usage on stdout, then the record. A help that cannot be printed does not hide the mistake.
  if (error instanceof UsageError)
    await import("./help.ts")
      .then((help) => help.showUsage(program, named, error.repeatable ? message : undefined))
      .catch(() => {});
  if (error instanceof NoSuchCommand)
    await import("./help.ts").then((help) => help.showNearest(program, error.given)).catch(() => {});
  log.debug(stackOf(error));
  log.error(message);
  return code;
}
