/**
 * What a descriptor is called in errors and in the trace: its number and where it leads. It is looked up when such a text
 * is made, never else, and not through `tryCall`: the look-up is not traced, and nothing fails because of it.
 */
import { AT_FDCWD } from "./constants/fcntl.ts";
import { textOf } from "./cstring.ts";
import { host } from "./engine/host.ts";
import { SYS } from "./numbers.ts";

/** A procfs to look into; AT_FDCWD is the one at /proc, -1 none. */
let procfs = AT_FDCWD;

/**
 * Which procfs says from now on where descriptors lead. undefined: none any more, as it is being closed or as this
 * process may not look; a descriptor is only its number then.
 */
export function lookDescriptorsUpIn(directory: number | undefined): void {
  procfs = directory ?? -1;
}

/** /proc is from now on another's, who fills it as he likes: it is not looked into. */
export function forgetProc(): void {
  if (procfs === AT_FDCWD) procfs = -1;
}

/** "fd 7 </run/x>", or "fd 7" where nothing can be looked up. */
export function fdName(fd: number): string {
  return `fd ${fdText(fd)}`;
}

/** "7 </run/x>", AT_FDCWD, or the number alone. */
export function fdText(fd: number): string {
  if (fd === AT_FDCWD) return "AT_FDCWD";
  const path = fd < 0 || procfs === -1 ? undefined : pathOf(fd);
  return path === undefined ? String(fd) : `${fd} <${path}>`;
}

/** The path as a person can look at it: beside a descriptor, that too. */
export function pathName(dir: number, path: string): string {
  if (dir === AT_FDCWD || path.startsWith("/")) return path;
  return path === "" ? fdName(dir) : `${fdName(dir)}/${path}`;
}

function pathOf(fd: number): string | undefined {
  const buffer = new Uint8Array(4096);
  const link = `${procfs === AT_FDCWD ? "/proc/" : ""}self/fd/${fd}`;
  const length = host.syscall(SYS.readlinkat, procfs, link, buffer, buffer.length);
  // Names of files are anybody's: one is not to make a second line, or to end what is quoted here.
  return length > 0 ? printable(textOf(buffer, length)) : undefined;
}

function printable(path: string): string {
  return JSON.stringify(path).slice(1, -1).replaceAll('\\"', '"').replaceAll(">", "\\x3e");
}
