/** What criu is asked for at a restore. */
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { namespaceFiles } from "../config/names.ts";
import { RuntimeError } from "../errors.ts";
import type { NamespaceJoin } from "../plan/namespaces.ts";
import type { OwnCgroups } from "../proc/cgroup.ts";
import type { ExternalMounts } from "./external_mounts.ts";
import {
  behindDirectories,
  type CriuOptions,
  commonOptions,
  type Directories,
  type ExternalType,
  externalKey,
} from "./options.ts";
import type { CriuOpts } from "./rpc.ts";

/** What restore is asked for. */
export interface RestoreOptions extends CriuOptions {
  /** TYPE:NAME; "" is that of the images. */
  readonly lsmProfile: string;
  readonly lsmMountContext: string;
}

/** What it is restored into. */
export interface Restored {
  /** A mount of the root file system for criu alone. */
  readonly root: HostPath;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly join: readonly NamespaceJoin[];
  /** Those of criu itself, below which it restores. */
  readonly cgroups: OwnCgroups;
  readonly mounts: ExternalMounts;
  /** What the standard streams were open on. */
  readonly descriptors: readonly string[];
}

export const RESTORE_LOG = "restore.log";

/** Namespaces that criu takes as they are, by a descriptor; it joins the others itself. */
export function inheritedNamespaces(
  join: readonly NamespaceJoin[],
): readonly (NamespaceJoin & { type: ExternalType })[] {
  return join.filter(
    (namespace): namespace is NamespaceJoin & { type: ExternalType } => namespace.type in externalKey,
  );
}

/** The options of a RESTORE; the namespaces of inheritedNamespaces are criu's descriptors behind the directories. */
export function restoreRequest(
  asked: RestoreOptions,
  directories: Directories,
  restored: Restored,
): CriuOpts {
  const { join, descriptors } = restored;
  const inherited = inheritedNamespaces(join).map(({ type }, i) => ({
    key: externalKey[type],
    fd: behindDirectories(directories) + i,
  }));
  return {
    ...commonOptions(asked, directories, RESTORE_LOG, restored.annotations),
    root: restored.root,
    evasive_devices: true,
    rst_sibling: true,
    cg_root: Array.from(restored.cgroups, ([ctrl, path]) => ({ ctrl, path })),
    ext_mnt: restored.mounts,
    inherit_fd: [...inherited, ...inheritedPipes(descriptors)],
    join_ns: join.filter(({ type }) => !(type in externalKey)).map(joined),
    lsm_profile: asked.lsmProfile || undefined,
    lsm_mount_context: asked.lsmMountContext || undefined,
  };
}

/** Pipes that were the caller's are now those of this caller. */
function inheritedPipes(descriptors: readonly string[]): { key: string; fd: Fd | number }[] {
  return descriptors.flatMap((key, fd) => (key.includes("pipe:") ? [{ key, fd }] : []));
}

/** The words are runc's. */
function joined({ type, path }: NamespaceJoin): { ns: string; ns_file: string } {
  if (type === "cgroup") throw new RuntimeError("unsupported", `Do not know how to handle namespace ${type}`);
  return { ns: namespaceFiles[type], ns_file: path };
}
