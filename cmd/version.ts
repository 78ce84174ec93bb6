/** What --version prints. go-runc and moby parse the first line: "NAME version X". */

import { version } from "../package.json" with { type: "json" };
import { ociVersion } from "../runtime/config/version.ts";
import { seccompVersion } from "../runtime/self/command.ts";
import { printable } from "./quote.ts";

export { version };

/** The commit and the version of the engine, put in by the build. */
declare const RUNT_COMMIT: string;
declare const QUICKJS_VERSION: string;
export const commit: string = typeof RUNT_COMMIT === "string" ? RUNT_COMMIT : "unknown";
export const quickjs: string = typeof QUICKJS_VERSION === "string" ? QUICKJS_VERSION : "unknown";

export function versionText(invokedAs: string): string {
  return `${printable(invokedAs)} version ${version}\ncommit: ${commit}\nspec: ${ociVersion}\nquickjs: ${quickjs}\nlibseccomp: ${seccompVersion()}\n`;
}
