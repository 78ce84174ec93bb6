/** Device nodes (config-linux.md "Devices" and "Default Devices"; runtime-linux.md "Dev symbolic links"). */
import { MEM_MAJOR, TTYAUX_MAJOR } from "../../../syscalls/constants/major.ts";
import { S_IFCHR } from "../../../syscalls/constants/stat.ts";
import type { ContainerPath, SpecField } from "../../../syscalls/types.ts";
import { field } from "../../config/field.ts";
import { deviceTypes } from "../../config/names.ts";
import type { LinuxDevice } from "../../config/types.ts";
import { cleanPath } from "../../path/clean_path.ts";

/** One node to make. */
export interface DeviceStep {
  readonly path: ContainerPath;
  /** S_IFCHR, S_IFBLK or S_IFIFO with the permissions. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
  readonly from: SpecField;
  /** A mount of the configuration that is there, whatever it is, stays: `docker run -v /dev/urandom:/dev/random`. */
  readonly orMount: boolean;
}

const defaultDevices: readonly (readonly [string, number, number])[] = [
  ["/dev/null", MEM_MAJOR, 3],
  ["/dev/random", MEM_MAJOR, 8],
  ["/dev/full", MEM_MAJOR, 7],
  ["/dev/tty", TTYAUX_MAJOR, 0],
  ["/dev/zero", MEM_MAJOR, 5],
  ["/dev/urandom", MEM_MAJOR, 9],
];

/** Links in /dev; the last is not in the specification, runc makes it too, where the host has /proc/kcore. */
export const devLinks: readonly (readonly [name: string, target: string])[] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
];

/**
 * Plans `linux.devices` and the default devices; a configured device replaces the default of the same path.
 * `destinations` are those of the mounts, which are made before.
 */
export function planDevices(
  devices: readonly LinuxDevice[],
  destinations: readonly ContainerPath[] = [],
): DeviceStep[] {
  const mounted = new Set(destinations.map(cleanPath));
  // What opens the null device expects that nothing comes of it, the runtime itself as well.
  const orMount = (path: string): boolean => path !== "/dev/null" && mounted.has(cleanPath(path));
  const configured = devices.map((device, i): DeviceStep => {
    const { type, path, major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = device;
    return {
      path: path as ContainerPath,
      mode: deviceTypes[type] | (fileMode & 0o7777),
      major,
      minor,
      uid,
      gid,
      from: field("linux", "devices", i),
      orMount: orMount(path),
    };
  });
  const taken = new Set(configured.map((device) => device.path));
  const defaults = defaultDevices
    .map(([path, major, minor]) => ({
      path: path as ContainerPath,
      mode: S_IFCHR | 0o666,
      major,
      minor,
      uid: 0,
      gid: 0,
    }))
    .filter((device) => !taken.has(device.path))
    .map(
      (device): DeviceStep => ({
        ...device,
        from: "the default devices" as SpecField,
        orMount: orMount(device.path),
      }),
    );
  return [...defaults, ...configured];
}
