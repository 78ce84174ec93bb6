/** What a system call takes. */
import type { CString } from "./cstring.ts";
import type { Buffer } from "./engine/host.ts";

/** What an argument may be before it becomes a register. */
export type Arg = number | bigint | CString | Buffer | null;

/**
 * Buffers by the structure or the array that holds their addresses. They are kept as long as that is, which a pointer
 * inside it does not do, and the trace looks behind pointers with it.
 */
export const pointedTo = new WeakMap<Buffer, readonly Buffer[]>();
