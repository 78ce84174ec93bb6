/** What libseccomp fails at, as a failure of the field that asked for it. */
import { OpError } from "../../syscalls/error.ts";

/** Names the field in what `act` throws. */
export function withField<T>(field: Parameters<OpError["askedBy"]>[0], act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(field) : error;
  }
}
