/** What checkpoint and restore are asked for besides the container, and what of it both tell criu in the same way. */
import { CLONE_NEWNET } from "../../syscalls/constants/sched.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { OpenDirectory } from "./log.ts";
import { CgroupMode, type CriuOpts } from "./rpc.ts";
import { FIRST_DESCRIPTOR } from "./swrk.ts";

/** Options of both commands; paths are absolute. */
export interface CriuOptions {
  readonly imagePath: HostPath;
  /** Where criu writes its logs and statistics; the image path when absent. */
  readonly workPath?: HostPath | undefined;
  readonly tcpEstablished: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly autoDedup: boolean;
  readonly lazyPages: boolean;
  /** soft, full, strict or ignore; "" leaves it to criu. */
  readonly manageCgroupsMode: string;
  /** Namespaces of which nothing but that they are there is kept; those of the network are always so. */
  readonly emptyNs: readonly string[];
}

/** The directories of a request, open in this process for as long as it takes. */
export interface Directories {
  readonly images: OpenDirectory;
  readonly work: OpenDirectory | undefined;
}

/** The first of criu's descriptors that is not a directory of these: they come first, the images before the work. */
export const behindDirectories = ({ work }: Directories): number =>
  FIRST_DESCRIPTOR + (work === undefined ? 1 : 2);

/** Where the log is. */
export const logDirectory = ({ images, work }: Directories): OpenDirectory => work ?? images;

const modes: Readonly<Record<string, number>> = {
  "": CgroupMode.DEFAULT,
  soft: CgroupMode.SOFT,
  full: CgroupMode.FULL,
  strict: CgroupMode.STRICT,
  ignore: CgroupMode.IGNORE,
};

/** Throws, in runc's words, for what is asked in words that mean nothing. */
export function requireKnown({ manageCgroupsMode, emptyNs }: CriuOptions): void {
  if (!Object.hasOwn(modes, manageCgroupsMode))
    throw new RuntimeError("invalid-argument", "invalid manage-cgroups-mode value");
  const unknown = emptyNs.find((type) => type !== "network");
  if (unknown !== undefined)
    throw new RuntimeError("invalid-argument", `namespace ${JSON.stringify(unknown)} is not supported`);
}

/** What both requests begin with. */
export function commonOptions(
  asked: CriuOptions,
  { work }: Directories,
  logFile: string,
  annotations: Readonly<Record<string, string>> = {},
): CriuOpts {
  // That of a container is the engine's choice, "" being none at all.
  const configFile = annotations["org.criu.config"] ?? "/etc/criu/runc.conf";
  return {
    images_dir_fd: FIRST_DESCRIPTOR,
    work_dir_fd: work === undefined ? undefined : FIRST_DESCRIPTOR + 1,
    log_level: 4,
    log_file: logFile,
    config_file: configFile === "" ? undefined : configFile,
    manage_cgroups: true, // for a criu that does not know the mode
    manage_cgroups_mode: modes[asked.manageCgroupsMode],
    notify_scripts: true,
    orphan_pts_master: true,
    shell_job: asked.shellJob,
    ext_unix_sk: asked.extUnixSk,
    tcp_established: asked.tcpEstablished,
    file_locks: asked.fileLocks,
    empty_ns: CLONE_NEWNET,
    auto_dedup: asked.autoDedup,
    lazy_pages: asked.lazyPages,
  };
}

/** Keys of external namespaces in images, as runc has them: each restores what the other has saved. */
export const externalKey = { network: "extRootNetNS", pid: "extRootPidNS" } as const;

/** For a network namespace that existed before the container; for a pid namespace. */
export const externalSince = { network: 31100, pid: 31500 } as const;

export type ExternalType = keyof typeof externalKey;
