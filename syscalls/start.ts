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

/** These variables of environ(7); of a name that is given twice the first counts, as for getenv(3). */
export function environment<Name extends string>(names: readonly Name[]): { [N in Name]?: string } {
  const text = `\0${decodeUtf8(environmentBytes())}`;
  const found: { [N in Name]?: string } = {};
  for (const name of names) {
    const at = text.indexOf(`\0${name}=`);
    if (at < 0) continue;
    const start = at + name.length + 2;
    found[name] = text.slice(start, text.indexOf("\0", start));
  }
  return found;
}

/** All of environ(7), "NAME=VALUE" each. */
export function environmentEntries(): readonly string[] {
  return decodeUtf8(environmentBytes()).split("\0").slice(0, -1);
}
