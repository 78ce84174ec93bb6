/** The limits as the files of cgroup v1 (Documentation/admin-guide/cgroup-v1). */
import type {
  LinuxBlockIO,
  LinuxCPU,
  LinuxMemory,
  LinuxNetwork,
  LinuxResources,
  LinuxThrottleDevice,
} from "../../config/types.ts";
import { planDevicesV1 } from "./device_rules.ts";
import { planIdle } from "./idle.ts";
import { planRdma } from "./rdma.ts";
import { refuse } from "./resource_field.ts";
import { type CgroupFacts, type CgroupPlanner, int, pidsMax } from "./write.ts";

/** Controller after controller in runc's order. */
export function planResourcesV1(plan: CgroupPlanner, resources: LinuxResources, facts: CgroupFacts): void {
  if (Object.keys(resources.unified ?? {}).length > 0)
    refuse("unified", "its files", "invalid configuration: cannot use unified on cgroup v1");
  planCpuset(plan, resources.cpu ?? {});
  if (facts.setDevices) planDevicesV1(plan, resources.devices ?? []);
  planMemory(plan, resources.memory ?? {});
  planCpu(plan, resources.cpu ?? {});
  if (resources.pids?.limit !== undefined)
    plan.write("pids", "pids.max", pidsMax(int(resources.pids.limit)), "pids.limit");
  planBlockIO(plan, resources.blockIO ?? {});
  for (const [i, { pageSize, limit }] of (resources.hugepageLimits ?? []).entries()) {
    const field = `hugepageLimits[${i}].limit`;
    plan.write("hugetlb", `hugetlb.${pageSize}.limit_in_bytes`, int(limit), field);
    const reserved = `hugetlb.${pageSize}.rsvd.limit_in_bytes`; // since kernel 5.7
    plan.write("hugetlb", reserved, int(limit), field, { ignoreErrnos: ["ENOENT"] });
  }
  planNetwork(plan, resources.network ?? {});
  planRdma(plan, resources.rdma ?? {});
}

function planCpuset(plan: CgroupPlanner, { cpus, mems }: LinuxCPU): void {
  if (cpus) plan.write("cpuset", "cpuset.cpus", cpus, "cpu.cpus");
  if (mems) plan.write("cpuset", "cpuset.mems", mems, "cpu.mems");
}

/**
 * The kernel keeps limit <= memsw.limit after every single write, so which goes first depends on what is there:
 * a limit that does not fit yet waits for the other.
 */
function planMemory(plan: CgroupPlanner, memory: LinuxMemory): void {
  const limit = int(memory.limit);
  const given = int(memory.swap);
  if (given > 0n && limit < 0n) refuse("memory.swap", given, "unable to set swap limit without memory limit");
  if (limit !== 0n) plan.write("memory", "memory.limit_in_bytes", limit, "memory.limit", { retryLast: true });
  // As in runc (cgroups/fs/memory.go, setMemoryAndSwap): "no limit" covers swap as well; a kernel without swap
  // accounting has nothing to lift.
  const implied = limit === -1n && given === 0n;
  const swap = implied ? -1n : given;
  if (swap !== 0n) {
    const extra = implied ? { ignoreErrnos: ["ENOENT"] } : {};
    const from = implied ? "memory.limit" : "memory.swap";
    plan.write("memory", "memory.memsw.limit_in_bytes", swap, from, { ...extra, retryLast: true });
  }
  const reservation = int(memory.reservation);
  if (reservation !== 0n)
    plan.write("memory", "memory.soft_limit_in_bytes", reservation, "memory.reservation");
  if (memory.disableOOMKiller) plan.write("memory", "memory.oom_control", "1", "memory.disableOOMKiller");
  if (memory.swappiness !== undefined) {
    if (memory.swappiness > 100) refuse("memory.swappiness", memory.swappiness, "the range is 0 to 100");
    plan.write("memory", "memory.swappiness", String(memory.swappiness), "memory.swappiness");
  }
  // Of kernel memory the kernel still limits this, but means to end it; runc does not set it any more.
  const kernelTCP = int(memory.kernelTCP);
  if (kernelTCP !== 0n)
    plan.write("memory", "memory.kmem.tcp.limit_in_bytes", kernelTCP, "memory.kernelTCP", {
      ignoreErrnos: ["ENOENT"],
    });
  plan.cannotEnforce({ "memory.kernel": memory.kernel });
}

/** Period, burst and quota bound each other and the parent's ratio, so each may have to wait for the others. */
function planCpu(plan: CgroupPlanner, cpu: LinuxCPU): void {
  planIdle(plan, cpu, () => planShares(plan, int(cpu.shares)));
  const realtimePeriod = int(cpu.realtimePeriod);
  if (realtimePeriod !== 0n)
    plan.write("cpu", "cpu.rt_period_us", realtimePeriod, "cpu.realtimePeriod", { retryLast: true });
  const realtimeRuntime = int(cpu.realtimeRuntime);
  if (realtimeRuntime !== 0n)
    plan.write("cpu", "cpu.rt_runtime_us", realtimeRuntime, "cpu.realtimeRuntime", { retryLast: true });
  const period = int(cpu.period);
  if (period !== 0n) plan.write("cpu", "cpu.cfs_period_us", period, "cpu.period", { retryLast: true });
  const quota = int(cpu.quota);
  if (quota !== 0n) plan.write("cpu", "cpu.cfs_quota_us", quota, "cpu.quota", { retryLast: true });
  if (cpu.burst !== undefined)
    plan.write("cpu", "cpu.cfs_burst_us", int(cpu.burst), "cpu.burst", {
      retryLast: true,
      ignoreErrnos: ["ENOENT"], // before kernel 5.14 there is nothing to allow
    });
}

function planShares(plan: CgroupPlanner, shares: bigint): void {
  if (shares === 0n) return;
  // The kernel would silently take the nearest bound (kernel/sched/sched.h, MIN_SHARES and MAX_SHARES).
  if (shares < 2n) refuse("cpu.shares", shares, "the minimum allowed cpu-shares is 2");
  if (shares > 262144n) refuse("cpu.shares", shares, "the maximum allowed cpu-shares is 262144");
  plan.write("cpu", "cpu.shares", shares, "cpu.shares", { retryLast: true });
}

const throttles = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"],
] as const;

/** The weight belongs to CFQ, on kernels before 5.0, or to the BFQ scheduler. As in runc
 * (cgroups/fs/blkio.go, detectWeightFilenames), the former where it is. */
function planBlockIO(plan: CgroupPlanner, io: LinuxBlockIO): void {
  const weigh = (suffix: string, value: string, field: string) =>
    plan.write("blkio", `blkio.${suffix}`, value, field, { orElse: { file: `blkio.bfq.${suffix}`, value } });
  if (io.weight) weigh("weight", String(io.weight), "blockIO.weight");
  if (io.leafWeight) plan.write("blkio", "blkio.leaf_weight", String(io.leafWeight), "blockIO.leafWeight");
  for (const [i, { major, minor, weight, leafWeight }] of (io.weightDevice ?? []).entries()) {
    const field = `blockIO.weightDevice[${i}]`;
    if (weight) weigh("weight_device", `${major}:${minor} ${weight}`, `${field}.weight`);
    if (leafWeight)
      plan.write(
        "blkio",
        "blkio.leaf_weight_device",
        `${major}:${minor} ${leafWeight}`,
        `${field}.leafWeight`,
      );
  }
  for (const [list, file] of throttles)
    for (const [i, device] of (io[list] ?? []).entries())
      plan.write("blkio", file, throttle(device), `blockIO.${list}[${i}]`);
}

function throttle({ major, minor, rate }: LinuxThrottleDevice): string {
  return `${major}:${minor} ${int(rate)}`;
}

function planNetwork(plan: CgroupPlanner, { classID, priorities }: LinuxNetwork): void {
  if (classID) plan.write("net_cls", "net_cls.classid", String(classID), "network.classID");
  for (const [i, { name, priority }] of (priorities ?? []).entries())
    plan.write("net_prio", "net_prio.ifpriomap", `${name} ${priority}`, `network.priorities[${i}]`);
}
