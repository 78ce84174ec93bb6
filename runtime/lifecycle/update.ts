/** update: other limits for a container that exists. */
import { readToEnd } from "../../syscalls/io.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { openCgroup } from "../cgroup/open.ts";
import { planBack, stillDifferent } from "../cgroup/restore.ts";
import { type JsonValue, MAX_BYTES, parseJson } from "../config/json.ts";
import { readFile, warnOfUnknown } from "../config/read_config.ts";
import type { LinuxIntelRdt } from "../config/types.ts";
import { validateResources } from "../config/validate.ts";
import type { RuntimeContext } from "../context.ts";
import { messageOf, RuntimeError } from "../errors.ts";
import { findResctrl } from "../host/resctrl.ts";
import { type RdtSchemas, readSchemata, requireRdtFor, rewriteSchemata } from "../intel_rdt/groups.ts";
import { versionOf } from "../plan/cgroup/hierarchies.ts";
import { planCgroupResources } from "../plan/cgroup/resources.ts";
import { planUpdate } from "../plan/cgroup/update.ts";
import { planIntelRdt } from "../plan/intel_rdt.ts";
import { STDIN } from "../self/command.ts";
import {
  lock,
  openStateDir,
  readSavedConfig,
  readState,
  type SavedState,
  writeSavedConfig,
} from "../state/store.ts";
import { statusOf } from "./status.ts";

/** What update is asked for. */
export interface UpdateRequest extends RdtSchemas {
  readonly id: string;
  /** The document with the limits that are to change; called when the container is known to be there. */
  resources(): JsonValue;
}

/** Changes the limits; when one of them is refused, those that were changed already are changed back. */
export function updateContainer(context: RuntimeContext, request: UpdateRequest): void {
  const dir = openStateDir(context.root, request.id);
  readState(dir);
  const { resources: asked, warnings, unknown } = validateResources(request.resources());
  for (const { field, text } of warnings) context.warn(`resources: ${field}: ${text}`);
  warnOfUnknown(unknown, "resources", context.warn);
  const ofKernel = Boolean(asked.memory?.kernel || asked.memory?.kernelTCP);
  if (ofKernel) context.warn("Kernel memory settings are ignored and will be removed");
  lock(dir);
  const saved = readState(dir);
  const config = readSavedConfig(dir);
  const { linux = {} } = config;
  const rdt = rdtUpdate(saved, linux.intelRdt, request);
  const status = statusOf(dir, saved);
  if (status === "stopped" || status === "creating")
    throw new RuntimeError("wrong-status", `container not running: it is ${status}`);
  const { write, save } = planUpdate(linux.resources ?? {}, asked);
  const cgroup = openCgroup(saved);
  const facts = { version: versionOf(cgroup.paths), driver: cgroup.driver, setDevices: false } as const;
  const plan = planCgroupResources(write, facts);
  if (plan.writes.length === 0 && rdt === undefined && !ofKernel)
    context.warn("nothing was changed: no limit is named that this host can change");
  for (const field of plan.notEnforced) context.debugLog(`${field} has no effect on this host`);
  const limits = planCgroupResources(linux.resources, facts);
  const { writes: before } = planBack(plan, cgroup.paths);
  try {
    cgroup.update(plan);
    rdt?.write();
  } catch (error) {
    goBack(context, () => {
      const writes = stillDifferent(before, planBack(plan, cgroup.paths).writes);
      cgroup.update({ ...limits, writes });
    });
    throw error;
  }
  const intelRdt = rdt === undefined ? {} : { intelRdt: rdt.intelRdt };
  writeSavedConfig(dir, { ...config, linux: { ...linux, resources: save, ...intelRdt } });
}

/** A JSON document: a file, or standard input for "-". One that is null asks for nothing. */
export function readDocument(file: HostPath | "-"): JsonValue {
  const bytes =
    file === "-" ? (readToEnd(STDIN, MAX_BYTES) ?? new Uint8Array(MAX_BYTES + 1)) : readFile(file);
  return parseJson(bytes, file === "-" ? "standard input" : file) ?? {};
}

interface RdtUpdate {
  /** As it will be, to be kept. */
  readonly intelRdt: LinuxIntelRdt;
  /** Writes the schemata; on failure those of before. */
  write(): void;
}

function rdtUpdate(
  { id, resctrl }: SavedState,
  old: LinuxIntelRdt | undefined,
  schemas: RdtSchemas,
): RdtUpdate | undefined {
  const { l3CacheSchema, memBwSchema } = schemas;
  if (l3CacheSchema === "" && memBwSchema === "") return undefined;
  const root = requireRdtFor(schemas, findResctrl());
  const [group] = resctrl?.join ?? [];
  if (old === undefined || group === undefined)
    throw new RuntimeError(
      "invalid-argument",
      "updating a non-existent Intel RDT configuration is not supported",
    );
  const intelRdt = {
    ...old,
    ...(l3CacheSchema !== "" && { l3CacheSchema }),
    ...(memBwSchema !== "" && { memBwSchema }),
  };
  const before = readSchemata(group);
  const lines = planIntelRdt(intelRdt, id)?.lines.map(({ text }) => text) ?? [];
  const write = () => {
    try {
      rewriteSchemata(root, group, lines);
    } catch (error) {
      rewriteSchemata(root, group, before);
      throw error;
    }
  };
  return { intelRdt, write };
}

function goBack(context: RuntimeContext, restore: () => void): void {
  try {
    restore();
  } catch (error) {
    context.warn(
      `Setting back cgroup configs failed due to error: ${messageOf(error)}, your state.json and actual configs might be inconsistent.`,
    );
  }
}
