// What uvu and its tests find in the engine that ships, beside what the product finds there: a console, and as much of
// Node's process as uvu asks for. Imported before them; scripts/unit.ts.
import { monotonicNow } from "../syscalls/clock.ts";
import { host } from "../syscalls/engine/host.ts";
import { SYS } from "../syscalls/numbers.ts";
import { environment } from "../syscalls/start.ts";

function write(fd: number, text: string): void {
  for (let rest = host.encode(text); rest.length > 0; ) {
    const count = host.syscall(SYS.write, fd, rest, rest.length);
    if (count <= 0) return;
    rest = rest.subarray(count);
  }
}

const print =
  (fd: number) =>
  (...values: readonly unknown[]): void =>
    write(fd, `${values.map(String).join(" ")}\n`);

const TCGETS = 0x5401;

Object.assign(globalThis, {
  console: { log: print(1), error: print(2) },
  process: {
    argv: [],
    env: environment(["FORCE_COLOR", "NO_COLOR", "NODE_DISABLE_COLORS", "TERM"]),
    exitCode: 0,
    hrtime([seconds, nanoseconds] = [0, 0]): [number, number] {
      const passed = monotonicNow() - BigInt(seconds) * 1_000_000_000n - BigInt(nanoseconds);
      return [Number(passed / 1_000_000_000n), Number(passed % 1_000_000_000n)];
    },
    on() {},
    stdout: {
      isTTY: host.syscall(SYS.ioctl, 1, TCGETS, new Uint8Array(64)) === 0,
      write: (text: string) => write(1, text),
    },
  },
  // uvu collects the suites here, and runs none by a timer: there is none.
  UVU_DEFER: true,
  UVU_QUEUE: [[null]],
});
