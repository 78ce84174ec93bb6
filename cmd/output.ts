/**
 * The one way out: everything printed goes through a full-write loop on the descriptor.
 */
import { encodeUtf8, STDERR, STDOUT, wasClosed, writeAll } from "../runtime/self/command.ts";
import { printable } from "./quote.ts";

/** Throws when not all of it could be written: a caller must not take half an answer for a whole one. */
export function writeStdout(text: string): void {
  if (wasClosed(STDOUT)) throw new Error("write standard output: EBADF (bad file descriptor)");
  writeAll(STDOUT, encodeUtf8(text), "standard output");
}

/** Never throws: podman closes its end of stderr early, and there is nowhere else to say so. */
export function writeStderr(text: string): void {
  try {
    writeAll(STDERR, encodeUtf8(text), "standard error");
  } catch {}
}

/** What is wrong with a --format that is none; the first words are runc's. */
export const INVALID_FORMAT = "invalid format option (table and json are accepted)";

// The parameters that runc gives to Go's text/tabwriter.
const MIN_WIDTH = 12;
const PADDING = 3;

/** Columns as Go's tabwriter aligns them for runc; the last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, characters(cell) + PADDING);
    });
  return cells
    .map((row) => `${row.map((cell, column) => pad(cell, column, row.length)).join("")}\n`)
    .join("");

  function pad(cell: string, column: number, columns: number): string {
    if (column === columns - 1) return cell;
    return cell + " ".repeat((widths[column] ?? 0) - characters(cell));
  }
}

function characters(text: string): number {
  return Array.from(text).length;
}
