/** $PATH, as execvp(3) and Go's exec.LookPath search it. */

/** The first file of this name in these directories that `fits`; an empty one stands for the working directory. */
export function searchPath(
  name: string,
  path: string,
  fits: (candidate: string) => boolean,
): string | undefined {
  if (path === "") return undefined;
  for (const directory of path.split(":")) {
    const candidate = `${directory === "" ? "." : directory}/${name}`;
    if (fits(candidate)) return candidate;
  }
  return undefined;
}
