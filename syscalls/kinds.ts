/** Kinds of arguments of system calls: how the trace shows one, and how an error names the thing that it stands for. */

import { type Arg, pointedTo } from "./arg.ts";
import * as fcntl from "./constants/fcntl.ts";
import * as sched from "./constants/sched_attr.ts";
import * as stat from "./constants/stat.ts";
import { fdName, fdText, pathName } from "./descriptor_name.ts";
import * as files from "./names/files.ts";
import * as processes from "./names/processes.ts";
import { flagsText, hex, type Names, nameOf } from "./names.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A call with its arguments; the result is undefined before it was made. */
export interface Made {
  readonly args: readonly Arg[];
  readonly result?: number;
}

/** One kind of argument. */
export interface Kind {
  /** As the trace shows it. */
  show(arg: Arg, made: Made): string;
  /** How an error names what it stands for; nothing to look at has none. */
  object?(arg: Arg, made: Made, at: number): string;
  /** The kernel fills it: it is shown when the call is over. */
  readonly filled?: true;
}

const ALL = 0xffffffffffffffffn;

const kind = (show: Kind["show"], object?: Kind["object"]): Kind =>
  object === undefined ? { show } : { show, object };

/** The same, but filled by the kernel. */
const filled = (show: Kind["show"]): Kind => ({ show, filled: true });

/** What can be said of an argument of no kind. */
export function plain(arg: Arg): string {
  if (arg === null) return "NULL";
  if (typeof arg === "string") return JSON.stringify(arg);
  if (typeof arg === "number") return String(arg);
  if (typeof arg === "bigint") return hex(arg);
  return `[${arg.byteLength} bytes]`;
}

const numberOr =
  (show: (value: number | bigint) => string) =>
  (arg: Arg): string =>
    typeof arg === "number" || typeof arg === "bigint" ? show(arg) : plain(arg);

export const number = kind(numberOr(String));
export const address = kind(plain);
/** A text that is no path. */
export const text = kind(plain, (arg) => (typeof arg === "string" ? arg : ""));
export const mode = kind(numberOr(modeText));
export const pid = kind(numberOr(String), (arg) => `pid ${arg}`);
export const uid = kind(numberOr(String), (arg) => `uid ${arg}`);
export const gid = kind(numberOr(String), (arg) => `gid ${arg}`);
export const key = kind(numberOr(String), (arg) => `key ${arg}`);
export const device = kind(numberOr((value) => deviceText(BigInt(value))));

const fdOf = (arg: Arg): number => (typeof arg === "number" ? arg : -1);
export const fd = kind(
  numberOr((value) => fdText(Number(value))),
  (arg) => fdName(fdOf(arg)),
);
/** The directory that the path behind it begins at; the path is what an error names. */
export const dirfd = kind(fd.show);
/** A path, from the current directory. */
export const path = kind(plain, (arg) => (typeof arg === "string" ? arg : ""));
/** A path from the directory in the argument before it. */
export const pathAt = kind(plain, (arg, { args }, at) =>
  pathName(fdOf(args[at - 1] ?? null), typeof arg === "string" ? arg : ""),
);

/** Flags, each by its name; an error can only name them. */
export const flags = (names: Names): Kind => {
  const show = numberOr((value) => flagsText(names, value));
  return kind(show, show);
};
/** Flags that are no object. */
export const options = (names: Names): Kind => kind(flags(names).show);

const openNames = files.O_;
const O_ACCMODE = 3n;
/** The flags of openat(2), of which two bits are the access. */
export const openFlags = kind(
  numberOr((value) => {
    const all = BigInt(value);
    const text = flagsText(openNames, all);
    if ((all & O_ACCMODE) !== 0n || (all & BigInt(fcntl.O_PATH)) !== 0n) return text;
    return text === "0" ? "O_RDONLY" : `O_RDONLY|${text}`;
  }),
);
/** One of several numbers. */
export const oneOf = (names: Names): Kind => {
  const show = numberOr((value) => nameOf(names, value));
  return kind(show, show);
};

const signalNames = processes.SIG;
export const signal = kind(numberOr((value) => nameOf(signalNames, value)));

/** A resource limit, of which the highest is none. */
export const limit = kind(numberOr((value) => (value === ALL ? "RLIM_INFINITY" : String(value))));

/** sigset_t, a bit for each signal. */
export const sigset = kind((arg) => (arg instanceof BigUint64Array ? sigsetText(arg[0] ?? 0n) : plain(arg)));
export const sigsetFilled = filled(sigset.show);

function sigsetText(mask: bigint): string {
  if (mask === ALL) return "~[]";
  const names: string[] = [];
  for (let i = 1; i <= 64; i++)
    if ((mask >> BigInt(i - 1)) & 1n) names.push(nameOf(signalNames, i).replace(/^SIG/, ""));
  return `[${names.join(" ")}]`;
}

/** How many bytes of a text are shown. */
const SHOWN = 64;
const bytesOf = (arg: Arg): Uint8Array | undefined =>
  arg === null || typeof arg !== "object"
    ? undefined
    : new Uint8Array(arg.buffer, arg.byteOffset, arg.byteLength);

/** Bytes that this program gives: as text where they are one. */
export const bytes = kind((arg) => {
  const given = bytesOf(arg);
  return given === undefined ? plain(arg) : bytesText(given);
});

/** Bytes that the kernel gives, as many as the result says. */
export const bytesFilled = filled((arg, { result = -1 }) => {
  const room = bytesOf(arg);
  return room === undefined || result < 0 ? plain(arg) : bytesText(room.subarray(0, result));
});

function bytesText(given: Uint8Array): string {
  const shown = given.subarray(0, SHOWN);
  // Not text: a message, a structure, a program.
  if (shown.some((byte) => (byte < 32 && byte !== 10 && byte !== 9) || byte === 127))
    return `[${given.length} bytes]`;
  return JSON.stringify(decodeUtf8(shown)) + (given.length > SHOWN ? "..." : "");
}

/** An array of numbers. */
const numbers =
  (show: (value: number) => string) =>
  (arg: Arg): string =>
    arg instanceof Int32Array || arg instanceof Uint32Array
      ? `[${Array.from(arg, show).join(", ")}]`
      : plain(arg);
export const ints = kind(numbers(String));
export const intsFilled = filled(numbers(String));
/** Groups, which an error names. */
export const gids = kind(numbers(String), (arg) => (arg instanceof Uint32Array ? arg.join(",") : ""));
export const fdsFilled = filled((arg, made) => ((made.result ?? -1) < 0 ? plain(arg) : numbers(fdText)(arg)));

/** char *const[]: the strings themselves. */
export const strings = kind((arg) => {
  const list = stringsOf(arg);
  return list === undefined ? plain(arg) : `[${list.map((item) => JSON.stringify(item)).join(", ")}]`;
});
/** The same of an environment, which is long and holds secrets: how many. */
export const variables = kind((arg) => {
  const list = stringsOf(arg);
  return list === undefined ? plain(arg) : `[${list.length} variables]`;
});

function stringsOf(arg: Arg): string[] | undefined {
  if (arg === null || typeof arg !== "object") return undefined;
  return pointedTo.get(arg)?.map((item) => decodeUtf8(bytesOf(item)?.subarray(0, -1) ?? new Uint8Array(0)));
}

/** A bit for each CPU or node, as the kernel lists them: "0-3,8". */
export const bitmap = kind(bitmapText);
export const bitmapFilled = filled(bitmapText);

function bitmapText(arg: Arg): string {
  if (!(arg instanceof BigUint64Array)) return plain(arg);
  const ranges: string[] = [];
  let first = -1;
  for (let i = 0; i <= arg.length * 64; i++) {
    const set = ((arg[i >> 6] ?? 0n) >> BigInt(i & 63)) & 1n;
    if (set && first < 0) first = i;
    if (set || first < 0) continue;
    ranges.push(first === i - 1 ? String(first) : `${first}-${i - 1}`);
    first = -1;
  }
  return `[${ranges.join(",")}]`;
}

/** struct timespec. */
export const timespec = kind((arg) => {
  if (!(arg instanceof BigInt64Array)) return plain(arg);
  return `${arg[0]}.${String(arg[1]).padStart(9, "0")}s`;
});

const fileTypes = files.S_IF;

/** "S_IFCHR|0666". */
function modeText(value: number | bigint): string {
  const all = Number(value);
  const type = all & stat.S_IFMT;
  const bits = (all & ~stat.S_IFMT) === 0 ? "0" : `0${(all & ~stat.S_IFMT).toString(8)}`;
  return type === 0 ? bits : `${nameOf(fileTypes, type)}|${bits}`;
}

/** "1:3", of linux/kdev_t.h new_encode_dev. */
function deviceText(value: bigint): string {
  const low = value & 0xffffffffn;
  return `${(low >> 8n) & 0xfffn}:${(low & 0xffn) | ((low >> 12n) & 0xfff00n)}`;
}

/** The value of ioprio_set(2): a class and a priority in it. */
export const ioprio = kind(
  numberOr(
    (value) =>
      `IOPRIO_PRIO_VALUE(${nameOf(classes, Number(value) >> sched.IOPRIO_CLASS_SHIFT)}, ${priority(value)})`,
  ),
  (arg) => `class ${Number(arg) >> sched.IOPRIO_CLASS_SHIFT}, priority ${priority(Number(arg))}`,
);
const classes = processes.IOPRIO_CLASS_;
const priority = (value: number | bigint): number => Number(value) & ((1 << sched.IOPRIO_CLASS_SHIFT) - 1);

const policies = processes.MPOL_;
const policyFlags = processes.MPOL_F_;
const POLICY_FLAGS = Object.values(policyFlags).reduce((all, flag) => all | flag, 0);
/** A policy of set_mempolicy(2) with its flags. */
export const memoryPolicy = kind(numberOr(policyText), (arg) => policyText(Number(arg)));

function policyText(value: number | bigint): string {
  const mode = Number(value);
  const name = nameOf(policies, mode & ~POLICY_FLAGS);
  return (mode & POLICY_FLAGS) === 0 ? name : `${name}|${flagsText(policyFlags, mode & POLICY_FLAGS)}`;
}
