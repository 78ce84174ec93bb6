/** prctl(2) and personality(2). */
import { call } from "./syscall.ts";

export * from "./constants/prctl.ts";

/** prctl(2). */
export function prctl(option: number, argument: number): number {
  return call("prctl", [option, argument, 0, 0, 0]);
}

/** personality(2): the execution domain. */
export function setPersonality(domain: number): void {
  call("personality", [domain]);
}
