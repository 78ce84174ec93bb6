/** Mounts (config.md "Mounts"): every decision about each of them, in the order of the configuration. */
import * as M from "../../../syscalls/constants/mount.ts";
import { FSCONFIG_VALUE_LIMIT } from "../../../syscalls/constants/mount.ts";
import type { FsOption } from "../../../syscalls/mount.ts";
import type { ContainerPath, HostPath, SpecField } from "../../../syscalls/types.ts";
import { field } from "../../config/field.ts";
import type { LinuxIDMapping, Mount } from "../../config/types.ts";
import { RuntimeError } from "../../errors.ts";
import { cleanPath, withoutRootfs } from "../../path/clean_path.ts";
import {
  attributesOf,
  type BindAttributes,
  bindAttributes,
  filesystemFlags,
  MOUNT2_ONLY,
  type MountOptions,
  parseMountOptions,
} from "./options.ts";

interface Step {
  /** Absolute in the container; resolved beneath the root file system only. */
  readonly destination: ContainerPath;
  /** The destination is "/": what is mounted is the root file system of all that comes after. */
  readonly isRoot: boolean;
  /** MS_PRIVATE and so on with MS_REC, applied one after the other when the mount is in place. */
  readonly propagation: readonly number[];
  /** MOUNT_ATTR_* for the whole tree. */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  readonly from: SpecField;
}

/** A file or directory of the host shown in the container. */
export interface BindStep extends Step {
  readonly kind: "bind";
  readonly source: HostPath;
  /** rbind: with the mounts below it. */
  readonly recursive: boolean;
  readonly attributes: BindAttributes | undefined;
  readonly idmap: IdmapPlan | undefined;
}

/** Whose ids the files of a bind mount appear to have, as a user namespace says it (mount_setattr(2)). */
export interface IdmapPlan {
  /** The maps of a namespace made for this, or the path of one that exists. */
  readonly userns: UsernsPlan;
  readonly recursive: boolean;
}

/** A user namespace: to be made with these maps, or to be opened. */
export type UsernsPlan =
  | { readonly uidMappings: readonly LinuxIDMapping[]; readonly gidMappings: readonly LinuxIDMapping[] }
  | { readonly path: HostPath };

/** A new file system. */
export interface FilesystemStep extends Step {
  readonly kind: "filesystem";
  readonly type: string;
  readonly options: readonly FsOption[];
  /** MOUNT_ATTR_*. */
  readonly attributes: number;
  /** MS_* to be given by mount(2), for what fsconfig(2) cannot say; undefined where it can say all. */
  readonly mount2: number | undefined;
  /** /dev and every tmpfs are filled, with later mounts' directories too, before they become read-only. */
  readonly readOnlyLater: boolean;
  /** tmpcopyup: the directory below is copied into it. */
  readonly copyUp: boolean;
  /** The SELinux label of its root directory, where it takes none as an option. */
  readonly rootLabel?: string;
  /** A tmpfs without a mode of its own gets that of the directory it covers, if there is one. */
  readonly modeOfCovered: boolean;
}

/** The container's own cgroups; how they look depends on the host's hierarchy. */
export interface CgroupStep extends Step {
  readonly kind: "cgroup";
  /** The SELinux label of the tmpfs that holds the hierarchies of version 1. */
  readonly context?: string;
  readonly attributes: number;
}

/** A mount that is there already gets other flags and, unless it is a bind mount, other file system options. */
export interface RemountStep extends Step {
  readonly kind: "remount";
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

/** One entry of `mounts`. */
export type MountStep = BindStep | FilesystemStep | CgroupStep | RemountStep;

/** What a mount's options may refer to besides the mount itself. */
export interface MountSurroundings {
  /** What relative bind sources are relative to. */
  readonly bundle: HostPath;
  /** The root file system on the host, with which no destination begins. */
  readonly rootfs: HostPath;
  /** The container's user namespace, which "idmap" without mappings means. */
  readonly userns: UsernsPlan | undefined;
}

/** Plans `mounts`; what has no effect goes to `warn`. */
export function planMounts(
  mounts: readonly Mount[],
  around: MountSurroundings,
  warn: (message: string) => void,
): MountStep[] {
  return mounts.map((mount, i) => {
    const step = planMount(mount, around, field("mounts", i), warn);
    // It would copy /proc as well.
    if (i > 0 && step.isRoot && step.kind === "filesystem" && step.copyUp)
      throw refused(`${step.from}.options`, "tmpcopyup on / is for the first mount only");
    return step;
  });
}

function planMount(
  mount: Mount,
  around: MountSurroundings,
  from: SpecField,
  warn: (message: string) => void,
): MountStep {
  const options = parseMountOptions(mount.options ?? []);
  const where = `${from}.destination`;
  const destination = absolute(withoutRootfs(mount.destination, around.rootfs, where, warn));
  const isRoot = cleanPath(destination) === "";
  if (isRoot && noRoot.has(mount.type ?? "") && (options.flags & (M.MS_BIND | M.MS_REMOUNT)) === 0)
    throw refused(where, `a ${mount.type} cannot be the root file system`);
  const step: Step = {
    destination,
    isRoot,
    propagation: options.propagation,
    recursiveSet: options.recursiveSet,
    recursiveClear: options.recursiveClear,
    from,
  };
  const bind = mount.type === "bind" || (options.flags & M.MS_BIND) !== 0;
  const idmap = planIdmap(mount, options, around.userns, from);
  if (idmap !== undefined && !bind)
    throw refused(from, "id-mapped mounts are only supported for bind mounts");
  if (bind) refuseData(mount, options, from, warn);
  if (options.flags & M.MS_REMOUNT) {
    const flags = options.flags & ~M.MS_REC;
    return {
      ...step,
      kind: "remount",
      type: mount.type ?? "",
      flags,
      data: bind ? "" : options.data.join(","),
    };
  }
  if (bind) return { ...planBind(mount, options, around.bundle, step), idmap };
  if (mount.type === "cgroup" || mount.type === "cgroup2") {
    return { ...step, kind: "cgroup", attributes: attributesOf(options.flags) };
  }
  return planFilesystem(mount, options, step);
}

/** File systems of the kernel's own, in which no program is. */
const noRoot: ReadonlySet<string> = new Set(["proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2"]);

/** A relative destination is deprecated, and relative to "/" (config.md "Mounts"). */
function absolute(destination: string): ContainerPath {
  return (destination.startsWith("/") ? destination : `/${destination}`) as ContainerPath;
}

/** config.md "Linux mount options", idmap: the mount's own mappings, else those of the container's user namespace. */
function planIdmap(
  { uidMappings, gidMappings }: Mount,
  { idmap }: MountOptions,
  userns: UsernsPlan | undefined,
  from: SpecField,
): IdmapPlan | undefined {
  const recursive = idmap === "tree";
  if (uidMappings !== undefined && gidMappings !== undefined) {
    if (uidMappings.length > 0 && gidMappings.length > 0)
      return { userns: { uidMappings, gidMappings }, recursive };
    if (uidMappings.length > 0 || gidMappings.length > 0)
      throw refused(from, "id-mapped mounts must have both uid and gid mappings specified");
  }
  if (idmap === "no") return undefined;
  if (userns !== undefined) return { userns, recursive };
  const option = recursive ? "ridmap" : "idmap";
  throw refused(from, `${option} needs uidMappings and gidMappings: the container has no user namespace`);
}

/**
 * The kernel does not look at a bind mount's data, so it is refused, as by runc since 1.2. Told only is that of a
 * mount which is a bind mount by its options alone, has no type, and gives tmpfs's size or mode: the validation suite
 * of runtime-tools has such mounts and expects them to work.
 */
function refuseData(
  { type = "" }: Mount,
  { data, copyUp }: MountOptions,
  from: SpecField,
  warn: (message: string) => void,
): void {
  const all = copyUp ? ["tmpcopyup", ...data] : data;
  if (all.length === 0) return;
  const shown = all.map((text) => JSON.stringify(text)).join(", ");
  const where = `${from}.options`;
  if (type !== "" || !all.every((text) => /^(mode|size)=/.test(text)))
    throw refused(where, `bind mounts cannot have any filesystem-specific options applied: ${shown}`);
  warn(`${where}: a bind mount takes no file system data, ignored: ${shown}`);
}

function refused(where: string, why: string): RuntimeError {
  return new RuntimeError("invalid-argument", `${where}: ${why}`);
}

function planBind(
  mount: Mount,
  options: MountOptions,
  bundle: HostPath,
  step: Step,
): Omit<BindStep, "idmap"> {
  const source = mount.source ?? "";
  if (source === "") throw refused(`${step.from}.source`, "a bind mount needs a source");
  return {
    ...step,
    kind: "bind",
    source: (source.startsWith("/") ? source : `${bundle}/${source}`) as HostPath,
    // Without "bind" or "rbind" among the options the type alone asks for a bind mount, which runc makes recursive.
    recursive: (options.flags & M.MS_REC) !== 0 || (options.flags & M.MS_BIND) === 0,
    attributes: bindAttributes(options.flags, options.cleared),
  };
}

function planFilesystem(mount: Mount, options: MountOptions, step: Step): FilesystemStep {
  const type = mount.type ?? "";
  if (type === "") throw refused(`${step.from}.type`, "a mount that is no bind mount needs a type");
  const tmpfs = type === "tmpfs";
  const readOnlyLater =
    (tmpfs || cleanPath(step.destination) === "dev") && (options.flags & M.MS_RDONLY) !== 0;
  const flags = readOnlyLater ? options.flags & ~M.MS_RDONLY : options.flags;
  const { copyUp } = options;
  if (copyUp && !tmpfs) throw refused(`${step.from}.options`, `tmpcopyup is for tmpfs only, not for ${type}`);
  const data = options.data.map(dataOption);
  const source =
    mount.source === undefined || mount.source === "" ? [] : [{ key: "source", value: mount.source }];
  return {
    ...step,
    kind: "filesystem",
    type,
    options: [...source, ...filesystemFlags(flags).map((key) => ({ key })), ...data],
    attributes: attributesOf(flags),
    mount2: onlyMount2(flags, options.data) ? flags & MOUNT2_ONLY : undefined,
    readOnlyLater,
    copyUp,
    modeOfCovered: tmpfs && !data.some(({ key }) => key === "mode"),
  };
}

/** fsconfig(2) has no word for some flags, takes short values only, and does not split them at commas. */
function onlyMount2(flags: number, data: readonly string[]): boolean {
  // A character has at most three bytes in UTF-8 for each of its UTF-16 units.
  return (
    (flags & MOUNT2_ONLY) !== 0 ||
    data.some((text) => text.length * 3 >= FSCONFIG_VALUE_LIMIT || text.includes(","))
  );
}

/** "mode=755" is a key with a value, "newinstance" a flag. */
function dataOption(text: string): FsOption {
  const equals = text.indexOf("=");
  return equals < 0 ? { key: text } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}
