/** /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import type { HostPath } from "../../syscalls/types.ts";

/** One mount, as this process sees it. */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** The directory of its file system that is shown. */
  readonly root: string;
  readonly mountPoint: HostPath;
  readonly type: string;
  /** The options of the file system, such as "rw,cpu,cpuacct". */
  readonly options: string;
}

/** The mounts of this process whose file systems are `wanted`, by type; all of them else. */
export function readMounts(wanted?: (type: string) => boolean): MountInfo[] {
  return parseMounts(readTextAt(CWD, "/proc/self/mountinfo"), wanted);
}

/** The same out of the text of such a file. Lines of file systems that are not wanted cost nothing more. */
export function parseMounts(text: string, wanted: (type: string) => boolean = () => true): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split("\n")) {
    // Optional fields end with a dash; a path has no blank of its own.
    const dash = line.indexOf(" - ");
    if (dash < 0) continue;
    const [type = "", , options = ""] = line.slice(dash + 3).split(" ");
    if (!wanted(type)) continue;
    const [id, parent, , root = "/", mountPoint = ""] = line.slice(0, dash).split(" ");
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint) as HostPath,
      type,
      options,
    });
  }
  return mounts;
}

/** The kernel writes blanks, line ends and backslashes as \\ and three octal digits. The digits are those of bytes. */
function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
