/** Names of places in config.json, as a person would write them: mounts[3].options, linux.sysctl["net.core.somaxconn"]. */
import type { SpecField } from "../../syscalls/types.ts";
import { quote } from "./quote.ts";

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The place reached by these keys from the top of config.json; no keys, the whole of it, is "". */
export function field(...keys: readonly (string | number)[]): SpecField {
  let name = "";
  for (const key of keys) {
    if (typeof key === "number") name += `[${key}]`;
    else if (!plainName.test(key)) name += `[${quote(key)}]`;
    else name += name === "" ? key : `.${key}`;
  }
  return name as SpecField;
}
