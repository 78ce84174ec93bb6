/** Resource limits (config.md "POSIX process"; getrlimit(2)). */
import type { Rlimit } from "../../syscalls/resource.ts";
import type { SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import { rlimitResources } from "../config/names.ts";
import type { POSIXRlimit } from "../config/types.ts";

/** One limit to set. */
export interface RlimitStep {
  readonly name: string;
  readonly resource: number;
  readonly limit: Rlimit;
  readonly from: SpecField;
}

/** Plans `process.rlimits`, whose types validation has checked. */
export function planRlimits(rlimits: readonly POSIXRlimit[]): RlimitStep[] {
  return rlimits.map(({ type, soft, hard }, i) => ({
    name: type,
    resource: rlimitResources[type],
    limit: { soft: BigInt(soft), hard: BigInt(hard) },
    from: field("process", "rlimits", i),
  }));
}
