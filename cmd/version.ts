/** What --version prints. go-runc and moby parse the first line: "NAME version X". */
import { version } from "../package.json" with { type: "json" };
import { printable } from "./quote.ts";

export { version };

/** The commit, put in by the build. */
declare const RUNT_COMMIT: string;
export const commit: string = typeof RUNT_COMMIT === "string" ? RUNT_COMMIT : "unknown";

export function versionText(invokedAs: string): string {
  return `${printable(invokedAs)} version ${version}\ncommit: ${commit}\nspec: 1.3.0\nbun: ${Bun.version}\n`;
}
