/** RDMA limits: the one controller whose file is the same in v1 and v2. */
import type { LinuxRdma } from "../../config/types.ts";
import type { CgroupPlanner } from "./write.ts";

/** One line a device; what is not given stays "max". */
export function planRdma(plan: CgroupPlanner, devices: Readonly<Record<string, LinuxRdma>>): void {
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(devices)) {
    const limits = [
      hcaHandles === undefined ? "" : ` hca_handle=${hcaHandles}`,
      hcaObjects === undefined ? "" : ` hca_object=${hcaObjects}`,
    ].join("");
    if (limits !== "") plan.write("rdma", "rdma.max", device + limits, `rdma[${JSON.stringify(device)}]`);
  }
}
