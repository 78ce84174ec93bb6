/** config-linux.md "Control groups". Whether this host has the controllers is asked later. */
import {
  type Check,
  flag,
  int64,
  integer,
  integerOf,
  list,
  matching,
  nonEmptyText,
  object,
  objectOf,
  oneOf,
  type Rule,
  record,
  refuse,
  text,
  textThat,
  uint16,
  uint32,
  uint64,
  warn,
} from "./check.ts";

const MAX_INT64 = 0x7fffffffffffffffn;
/** Bytes; -1 is no limit. */
const limit = integer(-1, MAX_INT64);
/** Half of a dev_t; -1 is any, as in libcontainer's own lists. */
const deviceNumber = integer(-1, 0xffffffff);

const someAccess = textThat('letters of "rwm"', (value) => (value === "" ? "must not be empty" : undefined));

/** As in runc what is valid is taken, and the rest does nothing. */
const access: Check = (value, found) => {
  someAccess(value, found);
  if (typeof value === "string" && /[^rwm]/.test(value))
    warn(found, [], `of ${JSON.stringify(value)} only the letters r, w and m count`);
};

const device = object(
  {
    allow: flag,
    type: oneOf(["a", "b", "c", ""], "invalid cgroup device type"),
    major: deviceNumber,
    minor: deviceNumber,
    access,
  },
  ["allow", "access"],
);

/** 0 is as absent. The sum memory + swap is what `swap` limits. */
const memoryRule: Rule = (memory, found) => {
  const [limited, swap] = [integerOf(memory.limit) ?? 0, integerOf(memory.swap) ?? 0];
  if (limited > 0 && swap > 0 && swap < limited)
    refuse(
      found,
      ["swap"],
      "memory+swap limit should be >= memory limit",
      swap,
      `-1, or at least ${limited}`,
    );
};

const blockDevice = { major: uint32, minor: uint32 };
const throttled = list(object({ ...blockDevice, rate: uint64 }, ["major", "minor"]));

const members: Readonly<Record<string, Check>> = {
  devices: list(device),
  memory: object(
    {
      limit,
      reservation: limit,
      swap: limit,
      kernel: limit,
      kernelTCP: limit,
      swappiness: integer(0, 100),
      disableOOMKiller: flag,
      useHierarchy: flag,
      checkBeforeUpdate: flag,
    },
    [],
    memoryRule,
  ),
  cpu: object({
    shares: uint64,
    quota: int64,
    burst: uint64,
    period: uint64,
    realtimeRuntime: int64,
    realtimePeriod: uint64,
    cpus: text,
    mems: text,
    idle: integer(0, 1),
  }),
  pids: object({ limit: int64 }),
  blockIO: object({
    weight: uint16,
    leafWeight: uint16,
    weightDevice: list(object({ ...blockDevice, weight: uint16, leafWeight: uint16 }, ["major", "minor"])),
    throttleReadBpsDevice: throttled,
    throttleWriteBpsDevice: throttled,
    throttleReadIOPSDevice: throttled,
    throttleWriteIOPSDevice: throttled,
  }),
  hugepageLimits: list(
    object({ pageSize: matching(/^[1-9][0-9]*[KMG]B$/, 'a size such as "2MB"'), limit: uint64 }, [
      "pageSize",
      "limit",
    ]),
  ),
  network: object({
    classID: uint32,
    priorities: list(object({ name: nonEmptyText, priority: uint32 }, ["name", "priority"])),
  }),
  rdma: record(object({ hcaHandles: uint32, hcaObjects: uint32 })),
  unified: record(
    text,
    textThat("the name of a file such as memory.high", (name) =>
      name === "" || name === "." || name === ".." || name.includes("/")
        ? "must be a file name (no slashes)"
        : undefined,
    ),
  ),
};

/** What `update --resources` reads: a limit that is absent there is the one in force. */
export const checkResourcesUpdate: Check = object(members);

/** A swap limit alone is refused by either version of cgroups. */
export const checkResources: Check = object(members, [], (resources, found) => {
  const memory = objectOf(resources.memory);
  const [limited, swap] = [integerOf(memory.limit) ?? 0, integerOf(memory.swap) ?? 0];
  if (swap > 0 && limited <= 0)
    refuse(
      found,
      ["memory", "swap"],
      "unable to set swap limit without memory limit",
      swap,
      "-1, or a limit as well",
    );
});
