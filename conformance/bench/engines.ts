import type { Operation } from "./operations.ts";
import type { Row } from "./rounds.ts";
import type { Runtime } from "./runtimes.ts";
import type { Stopwatch } from "./stopwatch.ts";

export async function engineRows(
  _runtimes: readonly Runtime[],
  _rounds: number,
  _row: (operation: Operation, able: readonly Runtime[], watch: Stopwatch) => Row,
): Promise<Row[]> {
  console.log("skip: engines: not written yet");
  return [];
}
