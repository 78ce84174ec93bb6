/**
 * The maps of a user namespace (user_namespaces(7)), written from outside. An ordinary user may map the own ids alone;
 * others are written by newuidmap(1) and newgidmap(1), which know what /etc/subuid and /etc/subgid give to whom.
 */
import { asking } from "../../syscalls/asking.ts";
import { EPERM } from "../../syscalls/constants/errno.ts";
import { O_WRONLY, X_OK } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { getegid, geteuid } from "../../syscalls/identity.ts";
import { readTextAt, writeTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryAccess } from "../../syscalls/stat.ts";
import type { HostPath, Pid, SpecField } from "../../syscalls/types.ts";
import type { LinuxIDMapping } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { mapsOwnIdOnly } from "../plan/host_ids.ts";
import type { IdMaps } from "../plan/namespaces.ts";
import { parseIdMap } from "../proc/id_map.ts";
import { runProgram } from "../self/run_program.ts";

/** user_namespaces(7), "Defining user and group ID mappings": lines, and bytes of one write (a page). */
const MAX_LINES = 340;
const MAX_BYTES = 4095;

/** Where the two programs may be; $PATH has no say in what gets hold of a namespace. */
const PROGRAM_DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/run/wrappers/bin"];

type Kind = "uid" | "gid";

/** Writes both maps of the namespace that `pid` is in. Errors name the mapping that cannot be. */
export function writeIdMaps(pid: Pid, { uidMappings, gidMappings }: IdMaps): void {
  writeMap(pid, "uid", uidMappings);
  // user_namespaces(7): without privilege that is the condition, as groups could be dropped that deny something.
  if (geteuid() !== 0 && mapsOwnIdOnly(gidMappings, getegid()))
    writeTextAt(CWD, `/proc/${pid}/setgroups`, O_WRONLY, "deny");
  writeMap(pid, "gid", gidMappings);
}

/** One line for what follows on each other on both sides, as there may be no more than so many. */
export function joinMappings(mappings: readonly LinuxIDMapping[]): LinuxIDMapping[] {
  const joined: LinuxIDMapping[] = [];
  for (const next of mappings) {
    const last = joined.at(-1);
    const follows =
      last !== undefined &&
      last.containerID + last.size === next.containerID &&
      last.hostID + last.size === next.hostID;
    if (!follows) joined.push(next);
    else joined[joined.length - 1] = { ...last, size: last.size + next.size };
  }
  return joined;
}

function writeMap(pid: Pid, kind: Kind, mappings: readonly LinuxIDMapping[]): void {
  if (mappings.length === 0) return;
  const joined = joinMappings(mappings);
  const lines = joined.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`);
  const text = `${lines.join("\n")}\n`;
  if (lines.length > MAX_LINES || text.length > MAX_BYTES)
    throw refused(
      fieldOf(kind),
      `${lines.length} lines of ${text.length} bytes; the kernel takes ${MAX_LINES} and ${MAX_BYTES}`,
    );
  asking(fieldOf(kind), () => {
    try {
      // All lines by one write.
      writeTextAt(CWD, `/proc/${pid}/${kind}_map`, O_WRONLY, text);
    } catch (error) {
      if (!isErrno(error, "EPERM")) throw error;
      if (geteuid() === 0) throw explain(error, kind, mappings);
      mapByProgram(pid, kind, mappings, lines);
    }
  });
}

function mapByProgram(
  pid: Pid,
  kind: Kind,
  mappings: readonly LinuxIDMapping[],
  lines: readonly string[],
): void {
  const name = `new${kind}map`;
  const path = PROGRAM_DIRECTORIES.map((directory) => `${directory}/${name}` as HostPath).find(
    (candidate) => tryAccess(CWD, candidate, X_OK, 0) === 0,
  );
  if (path === undefined) {
    const why = `an ordinary user has only the own ${kind}; others are given by ${name}, which is not installed`;
    throw refused(fieldOf(kind), `${why} (in ${PROGRAM_DIRECTORIES.join(", ")})`);
  }
  const words = lines.flatMap((line) => line.split(" "));
  const { exit, output } = runProgram(path, [name, String(pid), ...words], []);
  if (exit?.status === 0) return;
  const how = exit?.signal ? `signal ${exit.signal}` : `exit status ${exit?.status}`;
  const said = output.trim() || `${name}: ${how}`;
  // "newuidmap: uid range [1-11) -> [500000-500010) not allowed"
  const first = Number(/ range \[(\d+)-/.exec(said)?.[1] ?? Number.NaN);
  const index = mappings.findIndex(({ containerID }) => containerID === first);
  throw refused(
    index < 0 ? fieldOf(kind) : (`${fieldOf(kind)}[${index}]` as SpecField),
    `${said}; what a user may map is in /etc/sub${kind}`,
  );
}

/** Root of a user namespace has the ids that are mapped there, and no others. */
function explain(error: OpError, kind: Kind, mappings: readonly LinuxIDMapping[]): Error {
  const own = parseIdMap(readTextAt(CWD, `/proc/self/${kind}_map`));
  const isOurs = ({ hostID, size }: LinuxIDMapping): boolean =>
    own.some(([inside, , count]) => hostID >= inside && hostID + size <= inside + count);
  const index = mappings.findIndex((mapping) => !isOurs(mapping));
  const missing = mappings[index];
  if (missing === undefined)
    return error.because(`it takes CAP_SET${kind.toUpperCase()}, and CAP_SETFCAP to map root`);
  const range = `${kind}s ${missing.hostID} to ${missing.hostID + missing.size - 1}`;
  return OpError.from("map", range, EPERM, "the runtime's own user namespace does not have them all").askedBy(
    `${fieldOf(kind)}[${index}]` as SpecField,
  );
}

function fieldOf(kind: Kind): SpecField {
  return `linux.${kind}Mappings` as SpecField;
}

function refused(from: SpecField, why: string): RuntimeError {
  return new RuntimeError("child", `${from}: ${why}`);
}
