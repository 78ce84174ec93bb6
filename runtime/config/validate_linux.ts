/** config-linux.md, but for control groups and seccomp, which have files of their own. */
import {
  absolutePath,
  absolutePathOrEmpty,
  type Check,
  type Findings,
  flag,
  int64,
  integer,
  isAbsent,
  isObject,
  list,
  listOf,
  matching,
  nonEmptyText,
  object,
  objectOf,
  oneOf,
  type Rule,
  record,
  refuse,
  text,
  texts,
  textThat,
  uint32,
  warn,
} from "./check.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import {
  deviceTypes,
  memoryPolicyFlags,
  memoryPolicyModes,
  namesOf,
  namespaceFlags,
  personalityDomains,
  propagations,
} from "./names.ts";
import { quote } from "./quote.ts";
import { sysctlProblem } from "./sysctl.ts";
import type { LinuxNamespaceType } from "./types.ts";
import { checkResources } from "./validate_resources.ts";
import { checkSeccomp } from "./validate_seccomp.ts";

/** user_namespaces(7) "User and group ID mappings". */
export const idMappings: Check = list(
  object({ containerID: uint32, hostID: uint32, size: integer(1, 0xffffffff) }, [
    "containerID",
    "hostID",
    "size",
  ]),
);

/** Each namespace of the configuration with its path, "" when it is to be new; undefined when that cannot be read. */
export function namespacePaths(linux: JsonObject): ReadonlyMap<LinuxNamespaceType, string> | undefined {
  if (!isAbsent(linux, "namespaces") && !Array.isArray(linux.namespaces)) return undefined;
  const paths = new Map<LinuxNamespaceType, string>();
  for (const namespace of listOf(linux.namespaces)) {
    const { type, path } = objectOf(namespace);
    if (typeof type === "string") paths.set(type as LinuxNamespaceType, typeof path === "string" ? path : "");
  }
  return paths;
}

function uniqueNamespaces(linux: JsonObject, found: Findings): void {
  const seen = new Set<string>();
  listOf(linux.namespaces).forEach((namespace, i) => {
    const { type } = objectOf(namespace);
    if (typeof type !== "string") return;
    if (seen.has(type))
      refuse(
        found,
        ["namespaces", i, "type"],
        `malformed spec file: duplicated ns ${quote(type)}`,
        type,
        "each type once",
      );
    seen.add(type);
  });
}

function isFilled(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isObject(value) && Object.keys(value).length > 0;
}

type Namespaces = ReadonlyMap<LinuxNamespaceType, string>;

/** Whether the maps agree with those that a namespace at a path already has is asked when it is joined. */
function userNamespaceRule(linux: JsonObject, found: Findings, namespaces: Namespaces): void {
  const maps = ["uidMappings", "gidMappings"].filter((key) => isFilled(linux[key]));
  if (!namespaces.has("user")) {
    const problem = "user namespace mappings specified, but user namespace isn't enabled in the config";
    for (const key of maps)
      refuse(found, [key], problem, linux[key], 'nothing, or a namespace of type "user"');
  } else if (maps.length === 1) {
    const missing = maps[0] === "uidMappings" ? "gidMappings" : "uidMappings";
    refuse(found, [missing], `must be given when ${maps[0]} is`, undefined, "a list of at least one mapping");
  } else if (maps.length === 0 && namespaces.get("user") === "") {
    const problem = "user namespaces enabled, but no namespace path nor mappings specified";
    refuse(found, ["uidMappings"], problem, undefined, "uidMappings and gidMappings");
  }
}

/** time_namespaces(7): offsets can only be set before a process is in the namespace. */
function timeNamespaceRule(linux: JsonObject, found: Findings, namespaces: Namespaces): void {
  if (!isFilled(linux.timeOffsets)) return;
  const path = namespaces.get("time");
  if (path === undefined)
    refuse(
      found,
      ["timeOffsets"],
      "time namespace offsets specified, but time namespace isn't enabled in the config",
      linux.timeOffsets,
      'nothing, or a namespace of type "time"',
    );
  else if (path !== "")
    refuse(
      found,
      ["timeOffsets"],
      "time namespace enabled, but both namespace path and time offsets specified -- you may only provide one",
      linux.timeOffsets,
      "nothing, or a time namespace without a path",
    );
}

function isolationRule(linux: JsonObject, found: Findings, namespaces: Namespaces): void {
  const needs = [
    ["maskedPaths", "mount", "unable to restrict sys entries without a private MNT namespace"],
    ["readonlyPaths", "mount", "unable to restrict sys entries without a private MNT namespace"],
    ["netDevices", "network", "unable to move network devices without a private NET namespace"],
  ] as const;
  for (const [key, type, problem] of needs)
    if (isFilled(linux[key]) && !namespaces.has(type))
      refuse(found, [key], problem, linux[key], `nothing, or a namespace of type "${type}"`);
}

function sysctlRule(linux: JsonObject, found: Findings, namespaces: Namespaces): void {
  for (const name of Object.keys(objectOf(linux.sysctl))) {
    const problem = sysctlProblem(name, namespaces);
    if (problem !== undefined)
      refuse(
        found,
        ["sysctl", name],
        problem,
        name,
        "a sysctl of a namespace that the container has for itself",
      );
  }
}

const linuxRule: Rule = (linux, found) => {
  const namespaces = namespacePaths(linux);
  if (namespaces === undefined) return;
  uniqueNamespaces(linux, found);
  userNamespaceRule(linux, found, namespaces);
  timeNamespaceRule(linux, found, namespaces);
  isolationRule(linux, found, namespaces);
  sysctlRule(linux, found, namespaces);
};

/** The specification has only the permission bits; engines also send those of stat(2), which runc drops. */
const fileMode: Check = (value, found) => {
  integer(0, 0o177777)(value, found);
  if (typeof value === "number" && value > 0o777)
    warn(found, [], "only the permission bits of the mode are used");
};

const device = object(
  {
    type: oneOf(namesOf(deviceTypes), "invalid device type"),
    path: absolutePath,
    major: uint32,
    minor: uint32,
    fileMode,
    uid: uint32,
    gid: uint32,
  },
  ["type", "path"],
  (device, found) => {
    if (device.type === "p") return;
    for (const key of ["major", "minor"])
      if (isAbsent(device, key))
        refuse(found, [key], "is required unless type is p", undefined, "a device number");
  },
);

/** The kernel's dev_valid_name, with one %d for a number of the kernel's choosing. */
const interfaceName = textThat("1 to 15 characters without / : or space", (name) => {
  const odd = /[/:\s]|%(?!d)|%d.*%d/.test(name);
  return odd || name === "" || name === "." || name === ".." || name.length > 15
    ? "invalid network device name"
    : undefined;
});

const interfaceNameOrEmpty: Check = (value, found) => {
  if (value !== "") interfaceName(value, found);
};

const closID = textThat('the name of a directory below /sys/fs/resctrl, or "/"', (name) =>
  name === "." || name === ".." || (name !== "/" && name.includes("/")) || name.includes("\n")
    ? "invalid intelRdt.ClosID"
    : undefined,
);

/** config-linux.md "IntelRdt": their meaning was never more than loosely defined. */
const replacedByMonitoring: Check = (value, found) => {
  flag(value, found);
  if (value === true) warn(found, [], "has no effect: enableMonitoring has taken its place");
};

const oneLine = matching(/^[^\n]*$/, "one line");

/** set_mempolicy(2). */
const memoryPolicyRule: Rule = ({ mode, nodes, flags }, found) => {
  const named = typeof nodes === "string" && nodes !== "";
  const without = mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL";
  if (without && named) refuse(found, ["nodes"], `${mode} takes no nodes`, nodes, "nothing");
  if (!without && mode !== "MPOL_PREFERRED" && typeof mode === "string" && !named)
    refuse(found, ["nodes"], `${mode} needs nodes`, nodes ?? undefined, 'a list of nodes such as "0-3,7"');
  const chosen = listOf(flags);
  if (chosen.includes("MPOL_F_STATIC_NODES") && chosen.includes("MPOL_F_RELATIVE_NODES"))
    refuse(found, ["flags"], "contradictory flags", flags, "MPOL_F_STATIC_NODES or MPOL_F_RELATIVE_NODES");
};

const personality = object(
  { domain: oneOf(namesOf(personalityDomains), "unknown personality"), flags: texts },
  ["domain"],
  ({ flags }, found) => {
    if (isFilled(flags)) warn(found, ["flags"], "no personality flag is known, all are ignored");
  },
);

const timeOffset = object({ secs: int64, nanosecs: integer(0, 999_999_999) });

export const checkLinux: Check = object(
  {
    namespaces: list(
      object({ type: oneOf(namesOf(namespaceFlags), "unknown namespace type"), path: absolutePathOrEmpty }, [
        "type",
      ]),
    ),
    uidMappings: idMappings,
    gidMappings: idMappings,
    timeOffsets: object({ boottime: timeOffset, monotonic: timeOffset }),
    devices: list(device),
    netDevices: record(object({ name: interfaceNameOrEmpty }), interfaceName),
    cgroupsPath: text,
    resources: checkResources,
    intelRdt: object({
      closID,
      schemata: list(oneLine),
      l3CacheSchema: text,
      memBwSchema: matching(/^(?:MB:[^\n]*)?$/, 'one line that begins with "MB:"'),
      enableMonitoring: flag,
      enableCMT: replacedByMonitoring,
      enableMBM: replacedByMonitoring,
    }),
    memoryPolicy: object(
      {
        mode: oneOf(namesOf(memoryPolicyModes), "unknown memory policy mode"),
        nodes: matching(/^[0-9, -]*$/, 'a list of nodes such as "0-3,7"'),
        flags: list(oneOf(namesOf(memoryPolicyFlags), "unknown memory policy flag")),
      },
      ["mode"],
      memoryPolicyRule,
    ),
    sysctl: record(text, nonEmptyText),
    seccomp: checkSeccomp,
    rootfsPropagation: oneOf(["", ...namesOf(propagations)], "unknown rootfs propagation"),
    maskedPaths: list(absolutePath),
    readonlyPaths: list(absolutePath),
    mountLabel: text,
    personality,
  },
  [],
  linuxRule,
);
