/** Counters as the kernel writes them, in files of cgroups and of resctrl. */
import { RuntimeError } from "../errors.ts";

/** What "max" stands for: no limit, as a number that go decoders can hold. */
export const UNLIMITED = 0xffffffffffffffffn;

/** One number. Below zero is zero: some counters of the kernel run short for a moment. `file` is for the error. */
export function parseCount(text: string, file: string): bigint {
  if (text === "max") return UNLIMITED;
  if (/^\d+$/.test(text)) return BigInt(text);
  if (/^-\d+$/.test(text)) return 0n;
  throw malformed(file, text);
}

/** A file that says something else than it should. */
export function malformed(file: string, text: string): RuntimeError {
  return new RuntimeError("unsupported", `unable to parse ${file}: ${JSON.stringify(text)}`);
}
