/**
 * Log records as runc writes them, since engines read them: logfmt text or one JSON object a line. A command that
 * fails writes exactly one error record.
 */
import { messageOf } from "../runtime/errors.ts";
import {
  encodeUtf8,
  type Fd,
  type HostPath,
  isTerminal,
  openLog,
  realtimeNow,
  rfc3339,
  STDERR,
  writeAll,
} from "../runtime/self/command.ts";
import { writeStderr } from "./output.ts";
import { jsonLine, printable, quote } from "./quote.ts";

export type LogFormat = "text" | "json";
export type Level = "debug" | "info" | "warning" | "error";

export interface LogSettings {
  /** Where records go; stderr when undefined. */
  readonly path?: HostPath | undefined;
  readonly format: LogFormat;
  readonly debug: boolean;
}

export interface Log {
  /** Opens the file now, so that a bad --log is an error before anything is done; records then go to stderr, as runc's do. */
  open(): void;
  error(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

export function createLog({ path, format, debug }: LogSettings): Log {
  let fd: Fd | undefined = path === undefined ? STDERR : undefined;
  let told = false;
  const open = (): void => {
    if (fd !== undefined || path === undefined) return;
    fd = STDERR; // and stays it when the next line throws
    fd = openLog(path);
  };
  return {
    open,
    error(message) {
      write("error", message);
      // As runc: the message also goes to stderr as plain text when the log is elsewhere; conmon reads it there.
      if (fd !== STDERR) writeStderr(`${printable(message)}\n`);
    },
    warn(message) {
      // podman decodes a JSON log as one single object and gives up at a second one, so that a warning in front
      // of the error would hide the error. In that format warnings are kept for --debug.
      if (format === "text" || debug) write("warning", message);
    },
    debug(message) {
      if (debug) write("debug", message);
    },
  };

  function write(level: Level, message: string): void {
    // What the log cannot take (disk full, bad path) must not replace what the command has to say. It is told once,
    // in logrus' words, since records that are missing are missed too late.
    try {
      open();
    } catch {}
    if (fd === undefined) return;
    try {
      const people = fd === STDERR && format === "text" && isTerminal(STDERR);
      const line = people
        ? `${level}: ${printable(message)}`
        : formatRecord(format, level, message, realtimeNow());
      writeAll(fd, encodeUtf8(`${line}\n`), path ?? "standard error");
    } catch (error) {
      if (fd !== STDERR && !told) writeStderr(`Failed to write to log, ${printable(messageOf(error))}\n`);
      told = true;
    }
  }
}

/** One record, without its newline. */
export function formatRecord(format: LogFormat, level: Level, message: string, now: bigint): string {
  // UTC: the local zone is in a file that the environment names.
  const time = `${rfc3339(now).slice(0, 19)}Z`;
  if (format === "json") return jsonLine({ level, msg: message, time });
  const msg = /^[A-Za-z0-9._/@^+-]*$/.test(message) ? message : quote(message);
  return `time="${time}" level=${level} msg=${msg}`;
}
