// What of this machine the test machine sees when it works on the checkout.
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Share } from "./machine.ts";

/** The checkout. */
export const top = realpathSync(dirname(dirname(import.meta.dirname)));

/** The checkout, and its node_modules where that is a link to another's; read-only. */
export function checkoutShares(): Share[] {
  const modules = realpathSync(join(top, "node_modules"));
  const dirs = modules.startsWith(`${top}/`) ? [top] : [top, modules];
  return dirs.map((dir) => ({ dir, writable: false }));
}
