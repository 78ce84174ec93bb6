/** Container ids: they become names of directories, cgroups and units, so their alphabet is small. */
import { RuntimeError } from "../errors.ts";

/** A name of the runtime's own among the containers of a state root, and so no id. */
export const SECCOMP_CACHE = ".seccomp-cache";

/**
 * Throws for what is no id: runc's alphabet (factory_linux.go, validateID). A name that is too long is refused by the
 * file system.
 */
export function requireValidId(id: string): void {
  if (id === "") throw new RuntimeError("invalid-argument", "container id cannot be empty");
  if (/^[A-Za-z0-9_+.-]+$/.test(id) && ![".", "..", SECCOMP_CACHE].includes(id)) return;
  const accepted = "letters, digits and _ + - . are accepted";
  throw new RuntimeError("invalid-argument", `invalid container ID format (${accepted})`);
}
