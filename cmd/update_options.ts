/** The options of update, and the JSON document that says the same. */
import type { JsonObject, JsonValue } from "../runtime/config/json.ts";
import type { OptionTable, OptionValues } from "./options.ts";
import { parseBytes, parseInt64, parseUint64 } from "./update_values.ts";

const time = { kind: "string", placeholder: "MICROSECONDS" } as const;
const bytes = { kind: "string", placeholder: "SIZE" } as const;

export const updateOptions = {
  resources: {
    kind: "string",
    short: "r",
    placeholder: "FILE|-",
    description: "JSON document with the limits, as linux.resources of config.json; - is standard input",
  },
  "blkio-weight": { kind: "number", placeholder: "N", description: "weight for block I/O, 10 to 1000" },
  "cpu-period": { ...time, description: "period that the quota is for" },
  "cpu-quota": { ...time, description: "CPU time in each period" },
  "cpu-burst": { ...time, description: "CPU time that may be saved up for use beyond the quota" },
  "cpu-share": { kind: "string", placeholder: "N", description: "weight for CPU time, 2 to 262144" },
  "cpu-rt-period": { ...time, description: "period that the realtime runtime is for" },
  "cpu-rt-runtime": { ...time, description: "CPU time of realtime processes in each period" },
  "cpu-idle": { kind: "string", placeholder: "0|1", description: "1 to run only when nothing else does" },
  "cpuset-cpus": { kind: "string", placeholder: "LIST", description: "processors, such as 0-2,5" },
  "cpuset-mems": { kind: "string", placeholder: "LIST", description: "memory nodes" },
  memory: { ...bytes, description: "most memory" },
  "memory-reservation": { ...bytes, description: "memory that is left to it when memory gets scarce" },
  "memory-swap": { ...bytes, description: "most memory and swap together" },
  "kernel-memory": { ...bytes, description: "ignored, with a warning" },
  "kernel-memory-tcp": { ...bytes, description: "ignored, with a warning" },
  "pids-limit": { kind: "number", placeholder: "N", description: "most processes; -1 for no limit" },
  "l3-cache-schema": {
    kind: "string",
    placeholder: "SCHEMA",
    description: "Intel RDT: its part of the L3 cache",
  },
  "mem-bw-schema": {
    kind: "string",
    placeholder: "SCHEMA",
    description: "Intel RDT: its part of the memory bandwidth",
  },
} as const satisfies OptionTable;

type Values = OptionValues<typeof updateOptions>;
type TextOption = { [N in keyof Values]: Values[N] extends string | undefined ? N : never }[keyof Values];

/** Throws runc's words for the first value that is no number. */
export function documentOf(values: Values): JsonObject {
  const parsed = (flag: TextOption, parse: (flag: string, text: string) => JsonValue) => {
    const text = values[flag];
    return text === undefined || text === "" ? undefined : parse(flag, text);
  };
  const asItIs = (_flag: string, text: string) => text;
  return {
    blockIO: given({ weight: values["blkio-weight"] }),
    cpu: given({
      cpus: parsed("cpuset-cpus", asItIs),
      mems: parsed("cpuset-mems", asItIs),
      idle: parsed("cpu-idle", (flag, text) => Number(parseInt64(flag, text))),
      burst: parsed("cpu-burst", parseUint64),
      period: parsed("cpu-period", parseUint64),
      realtimePeriod: parsed("cpu-rt-period", parseUint64),
      shares: parsed("cpu-share", parseUint64),
      quota: parsed("cpu-quota", parseInt64),
      realtimeRuntime: parsed("cpu-rt-runtime", parseInt64),
    }),
    memory: given({
      limit: parsed("memory", parseBytes),
      swap: parsed("memory-swap", parseBytes),
      kernel: parsed("kernel-memory", parseBytes),
      kernelTCP: parsed("kernel-memory-tcp", parseBytes),
      reservation: parsed("memory-reservation", parseBytes),
    }),
    pids: given({ limit: values["pids-limit"] }),
  };
}

function given(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}
