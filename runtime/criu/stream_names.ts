/** descriptors.json: beside the images, what the standard streams of the program were open on; the name is runc's. */
import { O_CREAT, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { readToEnd, writeTextAt } from "../../syscalls/io.ts";
import { close, tryOpenat } from "../../syscalls/open.ts";
import { failed } from "../../syscalls/types.ts";
import { parseJson } from "../config/json.ts";
import { RuntimeError } from "../errors.ts";
import type { OpenDirectory } from "./log.ts";

const FILE = "descriptors.json";
/** Three paths, whatever they are. */
const MAX_SIZE = 64 * 1024;

/** Writes them beside the images. */
export function writeStreamNames({ fd }: OpenDirectory, names: readonly string[]): void {
  writeTextAt(fd, FILE, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, JSON.stringify(names), 0o600);
}

/** Reads them. Throws for what is no list of texts. */
export function readStreamNames({ fd: directory, path }: OpenDirectory): readonly string[] {
  const fd = tryOpenat(directory, FILE, O_RDONLY | O_NOFOLLOW);
  if (failed(fd)) throw OpError.from("open", `${path}/${FILE}`, -fd);
  const bytes = readToEnd(fd, MAX_SIZE);
  close(fd);
  const names = bytes === undefined ? undefined : (parseJson(bytes, `${path}/${FILE}`) as unknown);
  // Of a container with a terminal runc writes null.
  if (names === null) return [];
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new RuntimeError(
    "invalid-argument",
    `${path}/${FILE} is no list of what standard streams were open on`,
  );
}
