/** config.json of a bundle, read and validated. */

import { O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { Findings } from "./check.ts";
import { MAX_BYTES, parseJson } from "./json.ts";
import type { RunnableSpec } from "./types.ts";
import { nameUnknown } from "./unknown_keys.ts";
import { validateSpec } from "./validate.ts";

/** However broken the file is, the log stays readable. */
const SHOWN = 20;

/** Reads and validates <bundle>/config.json; warnings go to `warn`. */
export function readConfig(bundle: HostPath, warn: (message: string) => void): RunnableSpec {
  const bytes = readConfigFile(`${bundle}/config.json`);
  const { spec, warnings, unknown } = validateSpec(parseJson(bytes, "config.json"));
  for (const { field, text } of warnings) warn(`config.json: ${field}: ${text}`);
  warnOfUnknown(unknown, "config.json", warn);
  return spec;
}

/** Names the keys that a validation found in passing and nothing reads, with the ones that were perhaps meant. */
export function warnOfUnknown(
  unknown: Findings["unknown"],
  document: string,
  warn: (message: string) => void,
): void {
  for (const { field, closest } of nameUnknown(unknown.slice(0, SHOWN))) {
    const hint = closest === undefined ? "" : `: did you mean ${closest}?`;
    warn(`${document}: ${field} is not known and ignored${hint}`);
  }
}

/** The words of runc (spec.go, loadSpec) for the file that is forgotten most often. */
function readConfigFile(path: string): Uint8Array {
  try {
    return readFile(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    throw new RuntimeError("not-found", `JSON specification file config.json not found (${path})`, {
      cause: error,
    });
  }
}

/** The bytes of a JSON file. */
export function readFile(path: string): Uint8Array {
  return closing(openat(CWD, path, O_RDONLY), (fd) => {
    try {
      // One byte over the reader's bound, so that it is the reader who refuses what is too large.
      return readToEnd(fd, MAX_BYTES) ?? new Uint8Array(MAX_BYTES + 1);
    } catch (error) {
      throw error instanceof OpError ? error.during("read", path) : error;
    }
  });
}
