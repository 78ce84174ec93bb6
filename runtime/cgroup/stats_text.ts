/** The texts of the control files that statistics come from, as numbers. */
import { numbersIn } from "../config/number_list.ts";
import { malformed, parseCount } from "../proc/count.ts";
import type { BlkioEntry, Psi, PsiLine } from "./stats_types.ts";

/** "key value" lines, as those of memory.stat, in the order of their keys. */
export function parseKeyValues(text: string, file: string): Readonly<Record<string, bigint>> {
  const pairs = linesOf(text).map((line): [string, bigint] => {
    const [key = "", value, ...more] = line.split(" ");
    if (value === undefined || more.length > 0) throw malformed(file, line);
    return [key, parseCount(value, file)];
  });
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** More than there are of CPUs or of memory nodes in any machine. */
const MAX_NUMBERS = 1 << 16;

/** A list of numbers and ranges: "0-2,5". */
export function parseCpuList(text: string, file: string): number[] {
  return numbersIn(text, MAX_NUMBERS, () => {
    throw malformed(file, text);
  });
}

/** A table of v1's blkio: "8:0 Read 1282048" or "8:0 6792" for each device, and a total that is left out. */
export function parseBlkio(text: string, file: string): BlkioEntry[] {
  return linesOf(text)
    .filter((line) => !/^Total \d+$/.test(line))
    .map((line) => {
      const [, major, minor, op = "", value] = /^(\d+):(\d+) (?:(\S+) )?(\d+)$/.exec(line) ?? [];
      if (major === undefined || minor === undefined || value === undefined) throw malformed(file, line);
      return { major: BigInt(major), minor: BigInt(minor), op, value: BigInt(value) };
    });
}

const ioOperations: Readonly<Record<string, readonly [table: "bytes" | "operations", op: string]>> = {
  rbytes: ["bytes", "Read"],
  wbytes: ["bytes", "Write"],
  rios: ["operations", "Read"],
  wios: ["operations", "Write"],
};

/** io.stat of v2, "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" for each device, as the tables of v1. */
export function parseIoStat(text: string, file: string): Record<"bytes" | "operations", BlkioEntry[]> {
  const tables: Record<"bytes" | "operations", BlkioEntry[]> = { bytes: [], operations: [] };
  for (const line of linesOf(text)) {
    const [device = "", ...items] = line.split(" ");
    const [, major, minor] = /^(\d+):(\d+)$/.exec(device) ?? [];
    if (major === undefined || minor === undefined) continue;
    for (const item of items) {
      const [name = "", value = ""] = item.split("=");
      const [table, op = ""] = ioOperations[name] ?? [];
      if (table === undefined) continue; // discards and costs have no place in v1's tables
      tables[table].push({
        major: BigInt(major),
        minor: BigInt(minor),
        op,
        value: parseCount(value, file),
      });
    }
  }
  return tables;
}

/** cpu.pressure and the like: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0". A line of nothing but zeros is left out. */
export function parsePsi(text: string, file: string): Psi {
  const psi: { some?: PsiLine; full?: PsiLine } = {};
  for (const line of linesOf(text)) {
    const [, kind, avg10, avg60, avg300, total = ""] =
      /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/.exec(line) ?? [];
    if (kind !== "some" && kind !== "full") throw malformed(file, line);
    const averages = { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300) };
    const parsed = { ...averages, total: BigInt(total) };
    if (Object.values(parsed).some((value) => value > 0)) psi[kind] = parsed;
  }
  return psi;
}

/** The page size that a directory of /sys/kernel/mm/hugepages is about, as cgroup files name it: "2MB". */
export function pageSizeOf(directory: string): string | undefined {
  const [, digits] = /^hugepages-(\d+)kB$/.exec(directory) ?? [];
  if (digits === undefined) return undefined;
  const kilobytes = Number(digits);
  if (kilobytes >= 1 << 20) return `${kilobytes >> 20}GB`;
  return kilobytes >= 1 << 10 ? `${kilobytes >> 10}MB` : `${kilobytes}KB`;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
