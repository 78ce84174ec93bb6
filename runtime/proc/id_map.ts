/** /proc/<pid>/uid_map and gid_map (user_namespaces(7)). */

/** Ids from `container` on are `size` ids from `host` on. */
export type IdRange = readonly [container: number, host: number, size: number];

/** The ranges in the text of such a file, in its order. */
export function parseIdMap(text: string): IdRange[] {
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [container = 0, host = 0, size = 0] = line.trim().split(/ +/).map(Number);
      return [container, host, size];
    });
}
