// The program of containers that are only there to be looked at: it waits, and exits with 5 when asked to end.
import { readFileSync } from "node:fs";
import { eventually } from "../command.ts";
import type { Machine } from "./machine.ts";

export const waiting = ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 1000 & wait; done"];

/** Waits for its trap: a container counts as started a little before its program is executed. */
export async function untilWaiting(host: Machine, pid: number): Promise<void> {
  const file = (name: string): string => readFileSync(host.path(`/proc/${pid}/${name}`), "utf8");
  const SIGTERM = 1n << 14n;
  const caught = (): bigint => BigInt(`0x${file("status").match(/^SigCgt:\t(\w+)$/m)?.[1]}`);
  const ready = (): boolean => file("comm") === "sh\n" && (caught() & SIGTERM) !== 0n;
  if (!(await eventually(ready, 60))) throw new Error(`process ${pid} is ${file("comm")}, and sets no trap`);
}
