/** What criu is asked for at a checkpoint. */
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { ExternalMounts } from "./external_mounts.ts";
import {
  type CriuOptions,
  commonOptions,
  type Directories,
  type ExternalType,
  externalKey,
} from "./options.ts";
import type { CriuOpts } from "./rpc.ts";

/** What checkpoint is asked for. */
export interface DumpOptions extends CriuOptions {
  /** The images before these, relative to them. */
  readonly parentPath: string;
  readonly leaveRunning: boolean;
  readonly preDump: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  /** Of the caller's, to be told when lazy pages can be had; -1 is none. */
  readonly statusFd: number;
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
}

/** What there is to dump. */
export interface Dumped {
  readonly pid: Pid;
  readonly rootfs: HostPath;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The cgroup by which the processes are stopped; by ptrace(2) alone when absent. */
  readonly freezer: HostPath | undefined;
  /** Namespaces that existed before, by their inode numbers. */
  readonly external: readonly { readonly type: ExternalType; readonly inode: bigint }[];
  readonly mounts: ExternalMounts;
}

/** Names of namespace types in CRIU. */
const names: Readonly<Record<ExternalType, string>> = { network: "net", pid: "pid" };

export const DUMP_LOG = "dump.log";

/** The options of a DUMP or PRE_DUMP. */
export function dumpRequest(asked: DumpOptions, directories: Directories, dumped: Dumped): CriuOpts {
  const { parentPath, pageServer } = asked;
  return {
    ...commonOptions(asked, directories, DUMP_LOG, dumped.annotations),
    root: dumped.rootfs,
    pid: dumped.pid,
    leave_running: asked.leaveRunning,
    tcp_skip_in_flight: asked.tcpSkipInFlight,
    link_remap: asked.linkRemap,
    freeze_cgroup: dumped.freezer,
    external: dumped.external.map(({ type, inode }) => `${names[type]}[${inode}]:${externalKey[type]}`),
    ext_mnt: asked.preDump ? [] : dumped.mounts,
    ps: pageServer,
    ...(parentPath === "" ? {} : { parent_img: parentPath, track_mem: true }),
  };
}
