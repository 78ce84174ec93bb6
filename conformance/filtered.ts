// A program that executes another one under a seccomp filter that refuses system calls, as a unit of systemd with
// RestrictAddressFamilies= has one (systemd.exec(5)), or a container in which an old engine runs:
// filtered.ts FILTER PROGRAM ARGUMENT…, where FILTER is what `withFamilies` and `withoutCall` make.
import "./bun_host.ts";
import { AF_INET, AF_NETLINK, AF_UNIX } from "../syscalls/constants/socket.ts";
import { host } from "../syscalls/engine/host.ts";
import { SYS, type SyscallName } from "../syscalls/numbers.ts";
import { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, trySetModeFilter } from "../syscalls/seccomp.ts";
import { Struct } from "../syscalls/struct.ts";
import { encodeUtf8 } from "../syscalls/utf8.ts";

/** The call with this number fails with the errno, unless its first argument is one of these. */
type Filter = { readonly call: number; readonly errno: number; readonly unless: readonly number[] };

const families: Readonly<Record<string, number>> = { unix: AF_UNIX, inet: AF_INET, netlink: AF_NETLINK };
const EAFNOSUPPORT = 97;

/** The command that runs `command` with socket(2) refused but for these address families: "unix,netlink". */
export const withFamilies = (names: string, command: readonly string[]): string[] =>
  filtered(
    { call: SYS.socket, errno: EAFNOSUPPORT, unless: names.split(",").map((name) => families[name] ?? -1) },
    command,
  );

/** The command that runs `command` with this call refused with this errno, whatever its arguments. */
export const withoutCall = (name: SyscallName, errno: number, command: readonly string[]): string[] =>
  filtered({ call: SYS[name], errno, unless: [] }, command);

const filtered = (filter: Filter, command: readonly string[]): string[] => [
  process.execPath,
  "run",
  import.meta.filename,
  JSON.stringify(filter),
  ...command,
];

/** struct sock_filter of linux/filter.h: what follows a jump that is not taken is the next one. */
const load = (offset: number): number[] => [0x20, 0, 0, offset];
const jumpIfEqual = (value: number, yes: number, no: number): number[] => [0x15, yes, no, value];
const answer = (action: number): number[] => [0x06, 0, 0, action];

/** Of struct seccomp_data: the number of the call, and the low half of its first argument. */
function program({ call, errno, unless }: Filter): Uint8Array {
  const count = unless.length;
  const steps = [
    load(0),
    jumpIfEqual(call, 0, count + 2),
    load(16),
    ...unless.map((value, i) => jumpIfEqual(value, count - i, 0)),
    answer(SECCOMP_RET_ERRNO | errno),
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
  const [filter = "", ...command] = process.argv.slice(2);
  const loading = program(JSON.parse(filter) as Filter);
  const argv = pointers(command);
  const envp = pointers(Object.entries(process.env).map(([name, value]) => `${name}=${value}`));
  const path = text(command[0] ?? "");
  // At once one after the other: what Bun does in between may be what is refused.
  const loaded = trySetModeFilter(loading, 0);
  const result = loaded < 0 ? loaded : host.syscall(SYS.execve, path, argv.table, envp.table);
  throw new Error(`seccomp and execve ${command[0]}: errno ${-result}`);
}
