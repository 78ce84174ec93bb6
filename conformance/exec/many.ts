// Many times the same, four at a time; and what must be the same after it.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { runtimePath } from "../needs.ts";

/** Calls the body so many times, four at a time. */
export async function fourAtATime(times: number, body: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < times; i = next++) await body(i);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** The runtime's own file, to the byte. */
export function fingerprint(): string {
  const { ino, mode, mtimeMs, size } = statSync(runtimePath);
  const digest = createHash("sha256").update(readFileSync(runtimePath)).digest("hex");
  return [ino, mode, mtimeMs, size, digest].join(" ");
}
