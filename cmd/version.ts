/** What --version prints. go-runc and moby parse the first line: "NAME version X". */
import { version } from "../package.json" with { type: "json" };

export { version };

/** The commit, put in by the build. */
declare const RUNT_COMMIT: string;
export const commit: string = typeof RUNT_COMMIT === "string" ? RUNT_COMMIT : "unknown";

export function versionText(program: string): string {
  return `${program} version ${version}\ncommit: ${commit}\nspec: 1.3.0\nbun: ${Bun.version}\n`;
}
