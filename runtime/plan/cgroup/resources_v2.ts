/** The limits as the files of cgroup v2 (Documentation/admin-guide/cgroup-v2), converted from their v1 meaning. */
import type { LinuxBlockIO, LinuxCPU, LinuxMemory, LinuxResources } from "../../config/types.ts";
import { planDeviceProgram } from "./device_program.ts";
import { emulateDeviceRules } from "./device_rules.ts";
import { planIdle } from "./idle.ts";
import { planRdma } from "./rdma.ts";
import { refuse } from "./resource_field.ts";
import { type CgroupFacts, type CgroupPlanner, int, orMax, pidsMax } from "./write.ts";

/** Controller after controller; `unified` comes last, so that it wins over what was converted. */
export function planResourcesV2(plan: CgroupPlanner, resources: LinuxResources, facts: CgroupFacts): void {
  if (resources.pids?.limit !== undefined)
    plan.write("pids", "pids.max", pidsMax(int(resources.pids.limit)), "pids.limit");
  planMemory(plan, resources.memory ?? {});
  planBlockIO(plan, resources.blockIO ?? {});
  planCpu(plan, resources.cpu ?? {});
  for (const [i, { pageSize, limit }] of (resources.hugepageLimits ?? []).entries()) {
    const field = `hugepageLimits[${i}].limit`;
    plan.write("hugetlb", `hugetlb.${pageSize}.max`, int(limit), field);
    const reserved = `hugetlb.${pageSize}.rsvd.max`; // since kernel 5.7
    plan.write("hugetlb", reserved, int(limit), field, { ignoreErrnos: ["ENOENT"] });
  }
  planRdma(plan, resources.rdma ?? {});
  if (facts.setDevices) plan.devices = planDeviceProgram(emulateDeviceRules(resources.devices ?? []));
  planUnified(plan, resources.unified ?? {});
  plan.cannotEnforce({
    "network.classID": resources.network?.classID,
    "network.priorities": resources.network?.priorities,
  });
}

/** Swap goes first: once memory.max is small, what does not fit is pushed out by the rules of memory.swap.max. */
function planMemory(plan: CgroupPlanner, memory: LinuxMemory): void {
  const limit = int(memory.limit);
  const swap = swapMax(limit, int(memory.swap));
  if (swap !== undefined) {
    // Where the kernel does not account swap, "no limit" and "no swap" are as true as they can be.
    const extra = swap === "max" || swap === "0" ? { ignoreErrnos: ["ENOENT"] } : {};
    const from = memory.swap === undefined ? "memory.limit" : "memory.swap";
    plan.write("memory", "memory.swap.max", swap, from, extra);
  }
  if (limit !== 0n) {
    const extra = memory.checkBeforeUpdate && limit > 0n ? { onlyAbove: "memory.current" } : {};
    plan.write("memory", "memory.max", orMax(limit), "memory.limit", extra);
  }
  const reservation = int(memory.reservation);
  if (reservation !== 0n) plan.write("memory", "memory.low", orMax(reservation), "memory.reservation");
  plan.cannotEnforce({
    "memory.swappiness": memory.swappiness,
    "memory.disableOOMKiller": memory.disableOOMKiller || undefined,
    "memory.kernel": memory.kernel,
    "memory.kernelTCP": memory.kernelTCP,
  });
}

/** The spec's swap is memory plus swap, as in v1; the file's is swap alone. */
export function swapMax(limit: bigint, swap: bigint): string | undefined {
  if (swap < 0n || (swap === 0n && limit === -1n)) return "max";
  if (swap === 0n) return undefined;
  if (limit <= 0n) refuse("memory.swap", swap, "unable to set swap limit without memory limit");
  if (swap < limit) refuse("memory.swap", swap, "memory+swap limit should be >= memory limit");
  return String(swap - limit);
}

function planCpu(plan: CgroupPlanner, cpu: LinuxCPU): void {
  const shares = int(cpu.shares);
  planIdle(plan, cpu, () => {
    if (shares !== 0n) plan.write("cpu", "cpu.weight", cpuWeight(shares), "cpu.shares");
  });
  if (cpu.burst !== undefined)
    plan.write("cpu", "cpu.max.burst", int(cpu.burst), "cpu.burst", {
      retryLast: true,
      ignoreErrnos: ["ENOENT"], // before kernel 5.14 there is nothing to allow
    });
  const quota = int(cpu.quota);
  const period = int(cpu.period);
  if (quota !== 0n || period !== 0n) {
    const field = quota !== 0n ? "cpu.quota" : "cpu.period";
    plan.write("cpu", "cpu.max", `${quota > 0n ? quota : "max"} ${period || 100000n}`, field);
  }
  if (cpu.cpus) plan.write("cpuset", "cpuset.cpus", cpu.cpus, "cpu.cpus");
  if (cpu.mems) plan.write("cpuset", "cpuset.mems", cpu.mems, "cpu.mems");
  plan.cannotEnforce({
    "cpu.realtimeRuntime": cpu.realtimeRuntime,
    "cpu.realtimePeriod": cpu.realtimePeriod,
  });
}

/** The curve that runc and crun agreed on in 2025: it keeps 2 → 1, 1024 → 100 and 262144 → 10000. */
export function cpuWeight(shares: bigint): bigint {
  if (shares <= 2n) return 1n;
  if (shares >= 262144n) return 10000n;
  const l = Math.log2(Number(shares));
  return BigInt(Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34)));
}

const throttles = [
  ["throttleReadBpsDevice", "rbps"],
  ["throttleWriteBpsDevice", "wbps"],
  ["throttleReadIOPSDevice", "riops"],
  ["throttleWriteIOPSDevice", "wiops"],
] as const;

/** The weight of the BFQ scheduler (10 to 1000) on the scale of the I/O cost controller, 1 to 10000. */
function ioWeight(weight: number): string {
  return String(1 + Math.floor(((weight - 10) * 9999) / 990));
}

function planBlockIO(plan: CgroupPlanner, io: LinuxBlockIO): void {
  if (io.weight)
    plan.write("io", "io.bfq.weight", String(io.weight), "blockIO.weight", {
      orElse: { file: "io.weight", value: ioWeight(io.weight) },
    });
  for (const [i, { major, minor, weight }] of (io.weightDevice ?? []).entries())
    if (weight)
      plan.write("io", "io.bfq.weight", `${major}:${minor} ${weight}`, `blockIO.weightDevice[${i}].weight`, {
        orElse: { file: "io.weight", value: `${major}:${minor} ${ioWeight(weight)}` },
      });
  for (const [list, key] of throttles)
    for (const [i, { major, minor, rate }] of (io[list] ?? []).entries())
      plan.write("io", "io.max", `${major}:${minor} ${key}=${int(rate) || "max"}`, `blockIO.${list}[${i}]`);
  plan.cannotEnforce({ "blockIO.leafWeight": io.leafWeight });
  for (const [i, { leafWeight }] of (io.weightDevice ?? []).entries())
    plan.cannotEnforce({ [`blockIO.weightDevice[${i}].leafWeight`]: leafWeight });
}

/** Files by name; a value of several lines is written line by line, as io.max and the like want it. */
function planUnified(plan: CgroupPlanner, unified: Readonly<Record<string, string>>): void {
  for (const [file, value] of Object.entries(unified)) {
    const field = `unified[${JSON.stringify(file)}]`;
    if (file.includes("/") || !file.includes(".")) refuse(field, value, "the key must be a file name");
    const controller = file.slice(0, file.indexOf("."));
    for (const line of value.split("\n"))
      if (line !== "" || value === "") plan.write(controller, file, line, field);
  }
}
