/** Capabilities of this process: capset(2), the bounding set and the ambient set (capabilities(7)). */
import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
} from "./constants/prctl.ts";
import { Struct } from "./struct.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";

const _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

/** Masks with bit n for capability number n. */
export interface CapabilityMasks {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** capget(2) of this process. */
export function capget(): CapabilityMasks {
  const header = new Struct(8).u32(0, _LINUX_CAPABILITY_VERSION_3);
  const data = new Struct(24);
  call("capget", [header.bytes, data.bytes]);
  const mask = (at: number) => BigInt(data.getU32(at)) | (BigInt(data.getU32(at + 12)) << 32n);
  return { effective: mask(0), permitted: mask(4), inheritable: mask(8) };
}

/** capset(2) of this process. */
export function capset(masks: CapabilityMasks): void {
  const header = new Struct(8).u32(0, _LINUX_CAPABILITY_VERSION_3);
  const data = new Struct(24);
  [masks.effective, masks.permitted, masks.inheritable].forEach((mask, i) => {
    data.u32(4 * i, Number(mask & 0xffffffffn)).u32(12 + 4 * i, Number(mask >> 32n));
  });
  call("capset", [header.bytes, data.bytes]);
}

/** PR_CAPBSET_READ: 1 in the bounding set, 0 not, minus EINVAL for a number that the kernel does not know. */
export function tryBoundingRead(capability: number): ResultOrErrno {
  return tryCall("prctl", [PR_CAPBSET_READ, capability, 0, 0, 0]);
}

/** PR_CAPBSET_DROP; failure is an answer: minus EINVAL for a number that the kernel does not know. */
export function tryBoundingDrop(capability: number): ResultOrErrno {
  return tryCall("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0]);
}

/** PR_CAP_AMBIENT_CLEAR_ALL. */
export function ambientClear(): void {
  call("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
}

/** PR_CAP_AMBIENT_RAISE; failure is an answer. */
export function tryAmbientRaise(capability: number): ResultOrErrno {
  return tryCall("prctl", [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0]);
}
