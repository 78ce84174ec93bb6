/** What goes wrong where the name of the method is not known: whoever knows it makes an OpError of this. */
import { EBADMSG } from "./constants/errno.ts";

/** What is wrong with an address, a connection, or what came over it. */
export class DbusTransportError extends Error {
  override readonly name = "DbusTransportError";
  constructor(
    readonly errno: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** What was received is not in order. */
export function bad(reason: string): DbusTransportError {
  return new DbusTransportError(EBADMSG, reason);
}
