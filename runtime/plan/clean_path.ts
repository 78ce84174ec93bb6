/** Paths of a container as text, for comparing them; to be opened they go through in_root.ts. */

/** "/a/./b/../c//" is "a/c"; what would climb above the root stays there, as in path.Clean of runc. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
