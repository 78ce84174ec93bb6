/** Whose wish a system call is: the field of config.json that it is made for. */
import { OpError } from "./error.ts";
import { setTraceField } from "./trace.ts";
import type { FieldName } from "./types.ts";

/**
 * Does what a field asks for: the trace names the field at each call that is made meanwhile, and so does a failed one.
 * Within another the inner field counts. No field, as of what nobody has configured, changes nothing.
 */
export function asking<T>(field: FieldName | undefined, act: () => T): T {
  if (field === undefined) return act();
  const outer = setTraceField(field);
  try {
    return act();
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(field) : error;
  } finally {
    setTraceField(outer);
  }
}
