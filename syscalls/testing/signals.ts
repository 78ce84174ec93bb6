/** A signal that interrupts system calls (EINTR), as only one with a handler does; the product installs none. */

import { memfdCreate } from "../descriptor.ts";
import { host } from "../engine/host.ts";
import { writeAll } from "../io.ts";
import { close } from "../open.ts";
import { call } from "../syscall.ts";

const PROT_READ_EXECUTE = 5;
const MAP_PRIVATE = 2;
const SA_RESTORER = 0x0400_0000n;

/** Machine code of `return`, and of rt_sigreturn(2), to which a handler returns on x86. */
const code = {
  x86_64: [0xc3, 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05],
  aarch64: [0xc0, 0x03, 0x5f, 0xd6],
};

/** Handles the signal by doing nothing, as long as `body` runs. */
export function whileHandled(signal: number, body: () => void): void {
  const fd = memfdCreate("handler");
  writeAll(fd, new Uint8Array(code[host.architecture]));
  const page = call("mmap", [0, 4096, PROT_READ_EXECUTE, MAP_PRIVATE, fd, 0]);
  close(fd);
  const restorer = host.architecture === "x86_64" ? [SA_RESTORER, BigInt(page + 1)] : [0n, 0n];
  const old = new BigUint64Array(4);
  call("rt_sigaction", [signal, new BigUint64Array([BigInt(page), ...restorer, 0n]), old, 8], "");
  try {
    body();
  } finally {
    call("rt_sigaction", [signal, old, null, 8]);
    call("munmap", [page, 4096]);
  }
}
