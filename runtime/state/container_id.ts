/** Container ids: they become names of directories, cgroups and units, so their alphabet is small. */
import { RuntimeError } from "../errors.ts";

/** Leaves room for what cgroups and units add to the name (NAME_MAX is 255). */
const LONGEST = 200;

/** Throws for what is no id: runc's alphabet, and as in crun no leading dot. */
export function requireValidId(id: string): void {
  if (id === "") throw new RuntimeError("invalid-argument", "container id cannot be empty");
  if (/^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$/.test(id) && id.length <= LONGEST) return;
  throw new RuntimeError("invalid-argument", "invalid container ID format");
}
