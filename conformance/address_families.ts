// A program that executes another one with socket(2) refused but for some address families, as a unit of systemd with
// RestrictAddressFamilies= is (systemd.exec(5)): address_families.ts FAMILY,… PROGRAM ARGUMENT…
import "./bun_host.ts";
import { AF_INET, AF_NETLINK, AF_UNIX } from "../syscalls/constants/socket.ts";
import { host } from "../syscalls/engine/host.ts";
import { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, trySetModeFilter } from "../syscalls/seccomp.ts";
import { Struct } from "../syscalls/struct.ts";
import { encodeUtf8 } from "../syscalls/utf8.ts";
import { callNumbers } from "./system_call.ts";

/** The command that runs `command` so. */
export const withFamilies = (families: string, command: readonly string[]): string[] => [
  process.execPath,
  "run",
  import.meta.filename,
  families,
  ...command,
];

const numbers: Readonly<Record<string, number>> = { unix: AF_UNIX, inet: AF_INET, netlink: AF_NETLINK };
const EAFNOSUPPORT = 97;
const execveNumber = process.arch === "arm64" ? 221 : 59;

/** struct sock_filter of linux/filter.h: what follows a jump that is not taken is the next one. */
const load = (offset: number): number[] => [0x20, 0, 0, offset];
const jumpIfEqual = (value: number, yes: number, no: number): number[] => [0x15, yes, no, value];
const answer = (action: number): number[] => [0x06, 0, 0, action];

/** Of struct seccomp_data: the number of the call, and the low half of its first argument. */
function program(families: readonly number[]): Uint8Array {
  const count = families.length;
  const steps = [
    load(0),
    jumpIfEqual(Number(callNumbers.socket), 0, count + 2),
    load(16),
    ...families.map((family, i) => jumpIfEqual(family, count - i, 0)),
    answer(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
    answer(SECCOMP_RET_ALLOW),
  ];
  const filter = new Struct(8 * steps.length);
  steps.forEach(([code = 0, yes = 0, no = 0, value = 0], i) => {
    filter.u16(8 * i, code).u32(8 * i + 4, value);
    filter.bytes.set([yes, no], 8 * i + 2);
  });
  return filter.bytes;
}

const text = (string: string): Uint8Array => encodeUtf8(`${string}\0`);

/** An array as execve(2) takes it; what it points to lives as long as `kept`. */
function pointers(texts: readonly string[]): { readonly table: Uint8Array; readonly kept: Uint8Array[] } {
  const kept = texts.map(text);
  const table = new Struct(8 * (texts.length + 1));
  for (const [i, bytes] of kept.entries()) table.u64(8 * i, host.addressOf(bytes));
  return { table: table.bytes, kept };
}

if (import.meta.main) {
  const [families = "", ...command] = process.argv.slice(2);
  const allowed = families.split(",").map((name) => numbers[name] ?? -1);
  const loaded = trySetModeFilter(program(allowed), 0);
  if (loaded < 0) throw new Error(`seccomp: errno ${-loaded}`);
  const argv = pointers(command);
  const envp = pointers(Object.entries(process.env).map(([name, value]) => `${name}=${value}`));
  const result = host.syscall(execveNumber, text(command[0] ?? ""), argv.table, envp.table);
  throw new Error(`execve ${command[0]}: errno ${-result}`);
}
