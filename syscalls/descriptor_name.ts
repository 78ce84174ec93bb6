/** What a descriptor, or a path beside one, is called in errors. */
import { AT_FDCWD } from "./constants/fcntl.ts";
import type { Fd } from "./types.ts";

/** The path as a person can look at it. */
export function describe(dir: Fd, path: string): string {
  if (dir === AT_FDCWD || path.startsWith("/")) return path;
  return path === "" ? `fd ${dir}` : `fd ${dir}/${path}`;
}
