/** Network devices of the host that the container gets (config-linux.md "Network Devices"). */
import type { SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import type { Linux } from "../config/types.ts";

/** One device to move. */
export interface NetDeviceStep {
  /** Its name on the host. */
  readonly device: string;
  /** Its name in the container; "%d" in it is a number of the kernel's choosing. */
  readonly name: string;
  readonly from: SpecField;
}

/** Plans `linux.netDevices`, in the order of the configuration. */
export function planNetDevices(devices: Linux["netDevices"] = {}): NetDeviceStep[] {
  return Object.entries(devices).map(([device, { name = "" }]) => ({
    device,
    name: name === "" ? device : name,
    from: field("linux", "netDevices", device),
  }));
}
