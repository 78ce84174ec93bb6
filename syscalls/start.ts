/** What this program was started with. Asked for when it is needed: a module's top level runs when runt is built. */
import { host } from "./engine/host.ts";
import { decodeUtf8 } from "./utf8.ts";

/** argv(execve(2)), the name of the program first. */
export function programArguments(): readonly string[] {
  return decodeUtf8(host.arguments()).split("\0").slice(0, -1);
}

/** environ(7) as it was given: "NAME=VALUE", each with a NUL byte behind it. */
export function environmentBytes(): Uint8Array {
  return host.environment();
}

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** environ(7); of a name that is given twice the first counts, as for getenv(3). */
export function environment(): Environment {
  const variables: Record<string, string> = Object.create(null);
  for (const entry of decodeUtf8(environmentBytes()).split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) variables[entry.slice(0, equals)] ??= entry.slice(equals + 1);
  }
  return variables;
}
