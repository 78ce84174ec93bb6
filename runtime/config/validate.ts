/**
 * A JSON document to a Spec, or to the list of all that is wrong with it. What can be said from the document
 * alone is said here, before anything is touched; what depends on this host (kernel, cgroups, files) is asked
 * later, by the plan.
 */

import { encodeUtf8 } from "../../syscalls/utf8.ts";
import {
  anything,
  type Check,
  type Findings,
  findings,
  flag,
  isAbsent,
  isObject,
  list,
  nonEmptyText,
  object,
  objectOf,
  type Rule,
  record,
  refuse,
  text,
  texts,
  textThat,
  warn,
  withoutNulls,
} from "./check.ts";
import { InvalidSpec, type Warning } from "./invalid_config.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { LinuxResources, Process, RunnableSpec, Spec } from "./types.ts";
import { checkLinux, idMappings, namespacePaths } from "./validate_linux.ts";
import { checkHooks, checkProcess } from "./validate_process.ts";
import { checkResourcesUpdate } from "./validate_resources.ts";

export interface ValidationOptions {
  /** Whether a configuration without a process is refused. */
  readonly requireProcess: boolean;
}

const semver1 = /^1\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** config.md "Specification version". */
const ociVersion = textThat("a version from 1.0.0, below 2.0.0", (version) =>
  semver1.test(version) ? undefined : "unsupported specification version",
);

/** __NEW_UTS_LEN: sethostname(2) and setdomainname(2) take no more. */
const MAX_HOSTNAME = 64;
const hostname = textThat(`at most ${MAX_HOSTNAME} bytes`, (name) => {
  // UTF-8 takes at most three bytes for a UTF-16 unit, so most names need not be encoded to know.
  const fits = name.length * 3 <= MAX_HOSTNAME || encodeUtf8(name).length <= MAX_HOSTNAME;
  return fits ? undefined : "too long";
});

/** config.md "Mounts". */
const mount = object(
  {
    destination: nonEmptyText,
    source: text,
    type: text,
    options: texts,
    uidMappings: idMappings,
    gidMappings: idMappings,
  },
  ["destination"],
  (mount, found) => {
    const { destination } = mount;
    if (typeof destination === "string" && destination !== "" && !destination.startsWith("/"))
      warn(found, ["destination"], "relative destination path is deprecated, using it as relative to /");
    for (const [given, other] of [
      ["uidMappings", "gidMappings"],
      ["gidMappings", "uidMappings"],
    ] as const)
      if (!isAbsent(mount, given) && isAbsent(mount, other))
        refuse(found, [other], `must be given when ${given} is`, undefined, "a list of mappings");
  },
);

const specRule: Rule = (spec, found) => {
  if (isAbsent(spec, "root"))
    refuse(found, ["root"], "root must be specified", undefined, 'an object with "path"');
  if (!isAbsent(spec, "linux") && !isObject(spec.linux)) return;
  const namespaces = namespacePaths(objectOf(spec.linux));
  for (const key of ["hostname", "domainname"])
    if (typeof spec[key] === "string" && spec[key] !== "" && namespaces?.has("uts") === false)
      refuse(
        found,
        [key],
        `unable to set ${key} without a private UTS namespace`,
        spec[key],
        'nothing, or a namespace of type "uts"',
      );
};

const checkSpec: Check = object(
  {
    ociVersion,
    root: object({ path: nonEmptyText, readonly: flag }, ["path"]),
    process: checkProcess,
    hostname,
    domainname: hostname,
    mounts: list(mount),
    hooks: checkHooks,
    annotations: record(text),
    linux: checkLinux,
    solaris: anything,
    windows: anything,
    vm: anything,
    zos: anything,
    freebsd: anything,
  },
  ["ociVersion"],
  specRule,
);

export interface Validated<T extends Spec> {
  readonly spec: T;
  readonly warnings: readonly Warning[];
  /** Keys that no table here knows; see unknown_keys.ts. */
  readonly unknown: Findings["unknown"];
}

/**
 * A configuration (config.md, config-linux.md) that is known to be well-formed, or an InvalidSpec that lists
 * every problem of it. Unknown keys are ignored, as config.md "Extensibility" demands; see unknownKeys.
 */
export function validateSpec(value: JsonValue): Validated<RunnableSpec>;
export function validateSpec(value: JsonValue, options: ValidationOptions): Validated<Spec>;
export function validateSpec(
  value: JsonValue,
  { requireProcess }: ValidationOptions = { requireProcess: true },
): Validated<Spec> {
  const found = findings();
  if (value === null) refuse(found, [], "config cannot be null", value, "an object");
  else checkSpec(value, found);
  if (requireProcess && isObject(value) && isAbsent(value, "process"))
    refuse(found, ["process"], "process property must not be empty", undefined, "an object");
  const spec = settle<Spec>("config.json", value, found);
  return { spec, warnings: found.warnings, unknown: found.unknown };
}

/** config.md "Process" alone, as `exec --process` reads it from a file. */
export function validateProcess(value: JsonValue): {
  readonly process: Process;
  readonly warnings: readonly Warning[];
  readonly unknown: Findings["unknown"];
} {
  const found = findings("process");
  if (value === null) refuse(found, [], "process property must not be empty", value, "an object");
  else checkProcess(value, found);
  const process = settle<Process>("process.json", value, found);
  return { process, warnings: found.warnings, unknown: found.unknown };
}

/** config-linux.md "Control groups" alone, as `update --resources` reads it: absent limits stay what they are. */
export function validateResources(value: JsonValue): {
  readonly resources: LinuxResources;
  readonly warnings: readonly Warning[];
  readonly unknown: Findings["unknown"];
} {
  const found = findings();
  checkResourcesUpdate(value, found);
  const resources = settle<LinuxResources>("resources", value, found);
  return { resources, warnings: found.warnings, unknown: found.unknown };
}

/** The one place where JSON becomes a type: nothing was found to be wrong with it. */
function settle<T extends Spec | Process | LinuxResources>(
  what: string,
  value: JsonValue,
  found: Findings,
): T {
  if (found.issues.length > 0) throw new InvalidSpec(what, found.issues);
  return (found.nulls ? withoutNulls(value) : value) as JsonObject as unknown as T;
}

/** Every key of a configuration that no table here knows. */
export function unknownIn(value: JsonValue): Findings["unknown"] {
  const found = findings();
  checkSpec(value, found);
  return found.unknown;
}
