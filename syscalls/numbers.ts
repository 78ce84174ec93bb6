/** The system call numbers of the machine that this program runs on. */
import { host } from "./engine/host.ts";
import { numbers as arm64 } from "./numbers_arm64.ts";
import { numbers as x64 } from "./numbers_x64.ts";

/** Numbers by name; the same names on both architectures. */
export const SYS: Readonly<Record<keyof typeof x64, number>> = host.architecture === "aarch64" ? arm64 : x64;

/** A system call that this program knows. */
export type SyscallName = keyof typeof x64;
