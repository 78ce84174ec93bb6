/** What goes wrong where the name of the method is not known: whoever knows it makes an OpError of this. */
import { EBADMSG } from "./constants/errno.ts";

/** What is wrong with an address, a connection, or what came over it. */
export class DbusTrouble extends Error {
  override readonly name = "DbusTrouble";
  constructor(
    readonly errno: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** What was received is not in order. */
export function bad(reason: string): DbusTrouble {
  return new DbusTrouble(EBADMSG, reason);
}
