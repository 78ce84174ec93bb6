/** From an error to what the caller sees: an exit code and one sentence. */

export interface ExitFailure {
  readonly code: number;
  readonly message: string;
}

/** Words and exit code are those of runc's command line library. */
export class NoSuchCommand extends Error {
  override readonly name = "NoSuchCommand";
  constructor(readonly given: string) {
    super(`No help topic for '${given}'`);
  }
}

/** `command` is the command that had begun, if any. */
export function exitFailure(error: unknown, program: string, command: string | undefined): ExitFailure {
  if (error instanceof NoSuchCommand) return { code: 3, message: error.message };
  const message = `${prefix(program, command)}${sentence(error)}`;
  // Every failure of exec is 255, to tell it from the exit status of the program that exec ran.
  return { code: command === "exec" ? 255 : 1, message };
}

/** The stack, for --debug. */
export function stackOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message}\n${error.stack ?? ""}`.trimEnd()
    : String(error);
}

function prefix(program: string, command: string | undefined): string {
  if (command === "create" || command === "run") return `${program} ${command} failed: `;
  return command === "exec" ? "exec failed: " : "";
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return `internal error: ${String(error)}`;
  // The engine throws these for a mistake of ours; everything that we throw ourselves is Error or a class of ours.
  const bug = /^(Type|Range|Reference|Syntax|Internal)Error$/.test(error.name);
  return bug ? `internal error: ${error.name}: ${error.message}` : error.message;
}
