/** Mounts (config.md "Mounts"): every decision about each of them, in the order of the configuration. */
import * as M from "../../syscalls/constants/mount.ts";
import type { FsOption } from "../../syscalls/mount.ts";
import type { ContainerPath, HostPath, SpecField } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { field } from "../spec/field.ts";
import type { Mount } from "../spec/types.ts";
import {
  attributesOf,
  type BindAttributes,
  bindAttributes,
  filesystemFlags,
  type MountOptions,
  parseMountOptions,
} from "./mount_options.ts";

interface Step {
  /** Absolute in the container; resolved beneath the root file system only. */
  readonly destination: ContainerPath;
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
}

/** A new file system. */
export interface FilesystemStep extends Step {
  readonly kind: "filesystem";
  readonly type: string;
  readonly options: readonly FsOption[];
  /** MOUNT_ATTR_*. */
  readonly attributes: number;
  /** /dev and every tmpfs are filled, with later mounts' directories too, before they become read-only. */
  readonly readOnlyLater: boolean;
  /** tmpcopyup: the directory below is copied into it. */
  readonly copyUp: boolean;
  /** The SELinux label of its root directory, where it takes none as an option. */
  readonly rootLabel?: string;
  /** A tmpfs without a mode of its own gets that of the directory it covers. */
  readonly modeOfCovered: boolean;
}

/** The container's own cgroups; how they look depends on the host's hierarchy. */
export interface CgroupStep extends Step {
  readonly kind: "cgroup";
  /** The SELinux label of the tmpfs that holds the hierarchies of version 1. */
  readonly context?: string;
  readonly attributes: number;
}

/** One entry of `mounts`. */
export type MountStep = BindStep | FilesystemStep | CgroupStep;

/** Plans `mounts`; `bundle` is what relative bind sources are relative to. */
export function planMounts(mounts: readonly Mount[], bundle: HostPath): MountStep[] {
  return mounts.map((mount, i) => planMount(mount, bundle, field("mounts", i)));
}

function planMount(mount: Mount, bundle: HostPath, from: SpecField): MountStep {
  const options = parseMountOptions(mount.options ?? []);
  const step: Step = {
    destination: containerPath(mount.destination),
    propagation: options.propagation,
    recursiveSet: options.recursiveSet,
    recursiveClear: options.recursiveClear,
    from,
  };
  if (mount.type === "bind" || options.flags & M.MS_BIND) return planBind(mount, options, bundle, step);
  if (mount.type === "cgroup" || mount.type === "cgroup2") {
    return { ...step, kind: "cgroup", attributes: attributesOf(options.flags) };
  }
  return planFilesystem(mount, options, step);
}

/** A relative destination is deprecated, and relative to "/" (config.md "Mounts"). */
function containerPath(destination: string): ContainerPath {
  return (destination.startsWith("/") ? destination : `/${destination}`) as ContainerPath;
}

function planBind(mount: Mount, options: MountOptions, bundle: HostPath, step: Step): BindStep {
  const source = mount.source ?? "";
  if (source === "")
    throw new RuntimeError("invalid-argument", `${step.from}.source: a bind mount needs a source`);
  if (options.data.length > 0) {
    const data = options.data.map((text) => JSON.stringify(text)).join(", ");
    throw new RuntimeError(
      "invalid-argument",
      `${step.from}.options: a bind mount takes no file system data: ${data}`,
    );
  }
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
  if (type === "")
    throw new RuntimeError(
      "invalid-argument",
      `${step.from}.type: a mount that is no bind mount needs a type`,
    );
  const tmpfs = type === "tmpfs";
  const readOnlyLater = (tmpfs || step.destination === "/dev") && (options.flags & M.MS_RDONLY) !== 0;
  const flags = readOnlyLater ? options.flags & ~M.MS_RDONLY : options.flags;
  const copyUp = options.data.includes("tmpcopyup");
  if (copyUp && !tmpfs) {
    throw new RuntimeError(
      "invalid-argument",
      `${step.from}.options: tmpcopyup is for tmpfs only, not for ${type}`,
    );
  }
  const data = options.data.filter((option) => option !== "tmpcopyup").map(dataOption);
  const source =
    mount.source === undefined || mount.source === "" ? [] : [{ key: "source", value: mount.source }];
  return {
    ...step,
    kind: "filesystem",
    type,
    options: [...source, ...filesystemFlags(flags).map((key) => ({ key })), ...data],
    attributes: attributesOf(flags),
    readOnlyLater,
    copyUp,
    modeOfCovered: tmpfs && !data.some(({ key }) => key === "mode"),
  };
}

/** "mode=755" is a key with a value, "newinstance" a flag. */
function dataOption(text: string): FsOption {
  const equals = text.indexOf("=");
  return equals < 0 ? { key: text } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}
