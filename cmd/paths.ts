/** Paths from the command line: made absolute before anything changes the working directory. */
import { cleanPath } from "../runtime/path/clean_path.ts";
import { getcwd, type HostPath } from "../runtime/self/command.ts";

/**
 * As path.resolve: "." and ".." are taken out of the text. Links are not followed: the name that the caller gave is
 * the name that messages show.
 */
export function absolute(path: string): HostPath {
  const whole = path.startsWith("/") ? path : `${getcwd()}/${path}`;
  return `/${cleanPath(whole)}` as HostPath;
}

/** `{ [key]: absolute path }`, or nothing when the option was not given or is empty, as Go sees both alike. */
export function optionalPath<K extends string>(key: K, path: string | undefined): { [P in K]?: HostPath } {
  return path === undefined || path === "" ? {} : ({ [key]: absolute(path) } as { [P in K]: HostPath });
}
