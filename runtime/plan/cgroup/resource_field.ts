/** The parts of linux.resources by their names, and values of theirs that are refused. */
import { OpError } from "../../../syscalls/error.ts";
import type { SpecField } from "../../../syscalls/types.ts";

/** The place of a resource in config.json. */
export function at(field: string): SpecField {
  return `linux.resources.${field}` as SpecField;
}

/** A value that no kernel would take, or would take for something else. */
export function refuse(field: string, value: unknown, why: string): never {
  const data = { op: "set", object: `${field} to ${String(value)}`, errno: "EINVAL", hint: why };
  throw new OpError(data).askedBy(at(field));
}
