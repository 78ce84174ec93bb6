/** Paths as text, for comparing them; those of a container are opened through in_root.ts. */

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

/**
 * A path of the container, before which the caller may have written the path of the root file system on the host:
 * that is left out, as by runc, and `warn` told with the field `where`. Both are compared as text.
 */
export function withoutRootfs(
  path: string,
  rootfs: string,
  where: string,
  warn: (message: string) => void,
): string {
  const root = cleanPath(rootfs);
  const clean = cleanPath(path);
  if (root === "" || !`${clean}/`.startsWith(`${root}/`)) return path;
  const inside = `/${clean.slice(root.length + 1)}`;
  warn(`${where}: ${path} begins with the path of the root file system on the host, using ${inside}`);
  return inside;
}
