/** What resctrl says of a container's groups, in the form of runc's `events` (its types.IntelRdt, with its names). */
import { DT_DIR } from "../../syscalls/constants/dirent.ts";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { readDirectory } from "../../syscalls/directory.ts";
import { readTextAt } from "../../syscalls/io.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import { failed, type HostPath } from "../../syscalls/types.ts";
import { parseCount } from "../proc/count.ts";

export interface RdtStats {
  readonly l3_cache_info?: Readonly<Record<string, string | bigint>>;
  /** The line of the whole machine, and that of the container's group. */
  readonly l3_cache_schema_root?: string;
  readonly l3_cache_schema?: string;
  readonly mem_bw_info?: Readonly<Record<string, bigint>>;
  readonly mem_bw_schema_root?: string;
  readonly mem_bw_schema?: string;
  readonly schemata?: readonly string[];
  /** One entry a cache domain. */
  readonly mbm_stats?: readonly { readonly mbm_total_bytes: bigint; readonly mbm_local_bytes: bigint }[];
  readonly cmt_stats?: readonly { readonly llc_occupancy: bigint }[];
}

/** Reads them; `group` and `monitoring` are those that the container's processes are in. */
export function readRdtStats(root: HostPath, group: HostPath, monitoring: HostPath | undefined): RdtStats {
  const schemata = text(group, "schemata").split("\n");
  const ofMachine = text(root, "schemata").split("\n");
  const l3 = `${root}/info/L3` as HostPath;
  const mb = `${root}/info/MB` as HostPath;
  const mbInfo = ["bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"];
  return {
    ...(isThere(l3) && {
      l3_cache_info: { cbm_mask: text(l3, "cbm_mask"), ...numbers(l3, ["min_cbm_bits", "num_closids"]) },
      ...lineOf("L3", ofMachine, "l3_cache_schema_root"),
      ...lineOf("L3", schemata, "l3_cache_schema"),
    }),
    ...(isThere(mb) && {
      mem_bw_info: numbers(mb, mbInfo),
      ...lineOf("MB", ofMachine, "mem_bw_schema_root"),
      ...lineOf("MB", schemata, "mem_bw_schema"),
    }),
    schemata,
    ...monitored(root, monitoring ?? group),
  };
}

/** The last line of a resource, as runc has it. */
function lineOf(resource: string, lines: readonly string[], key: keyof RdtStats): RdtStats {
  const line = lines.findLast((entry) => entry.includes(resource))?.trim();
  return line === undefined ? {} : { [key]: line };
}

function monitored(root: HostPath, group: HostPath): Pick<RdtStats, "mbm_stats" | "cmt_stats"> {
  const info = `${root}/info/L3_MON` as HostPath;
  const features = isThere(info) ? text(info, "mon_features").split("\n") : [];
  const has = (feature: string) => features.includes(feature);
  const mbm = has("mbm_total_bytes") || has("mbm_local_bytes");
  const cmt = has("llc_occupancy");
  if (!mbm && !cmt) return {};
  const domains = directoriesIn(`${group}/mon_data`);
  const read = (domain: HostPath, feature: string) => (has(feature) ? number(domain, feature) : 0n);
  return {
    ...(mbm && {
      mbm_stats: domains.map((domain) => ({
        mbm_total_bytes: read(domain, "mbm_total_bytes"),
        mbm_local_bytes: read(domain, "mbm_local_bytes"),
      })),
    }),
    ...(cmt && { cmt_stats: domains.map((domain) => ({ llc_occupancy: read(domain, "llc_occupancy") })) }),
  };
}

/** In the order of their names. */
function directoriesIn(path: string): HostPath[] {
  const fd = tryOpenat(CWD, path, O_RDONLY | O_DIRECTORY);
  if (failed(fd)) return [];
  return closing(fd, () => {
    const directories = readDirectory(fd).filter(({ type }) => type === DT_DIR);
    return directories.map(({ name }) => `${path}/${name}` as HostPath).sort();
  });
}

/** Those that are not 0. */
function numbers(directory: HostPath, files: readonly string[]): Record<string, bigint> {
  const entries = files.map((file): [string, bigint] => [file, number(directory, file)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0n));
}

function number(directory: HostPath, file: string): bigint {
  return parseCount(text(directory, file), `${directory}/${file}`);
}

function text(directory: HostPath, file: string): string {
  return readTextAt(CWD, `${directory}/${file}`).trim();
}

function isThere(path: HostPath): boolean {
  return typeof tryStatx(CWD, path, 0) !== "number";
}
