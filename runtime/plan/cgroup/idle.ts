/** cpu.idle, the one CPU file that is the same in v1 and v2. */
import type { LinuxCPU } from "../../config/types.ts";
import type { CgroupPlanner } from "./write.ts";

/** The weight of an idle cgroup cannot be set (EINVAL): so it is written before idle begins, or after it has ended. */
export function planIdle(plan: CgroupPlanner, { idle }: LinuxCPU, planWeight: () => void): void {
  if (idle !== 1) planWriteIdle(plan, idle);
  planWeight();
  if (idle === 1) planWriteIdle(plan, idle);
}

function planWriteIdle(plan: CgroupPlanner, idle: number | undefined): void {
  if (idle !== undefined) plan.write("cpu", "cpu.idle", String(idle), "cpu.idle");
}
