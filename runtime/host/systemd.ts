/** Which systemd makes a container's unit: the system's, or that of the user's own session. */

import { AT_SYMLINK_NOFOLLOW } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD } from "../../syscalls/open.ts";
import { isType, tryStatx } from "../../syscalls/stat.ts";
import { RuntimeError } from "../errors.ts";
import type { CgroupLayout, SystemdPlace } from "../plan/cgroup/hierarchies.ts";
import type { SystemdFacts } from "../plan/host_facts.ts";
import { withSystemd } from "../systemd/client.ts";
import { inUserNamespace } from "./user_namespace.ts";

/** The caller's variables that say where the session's message bus is. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The systemd that findSystemd finds, and where its units' cgroups lie. On v1 no user's systemd is of use. */
export function readSystemdFacts(
  rootless: boolean | "auto",
  environment: Environment,
  { kind }: CgroupLayout,
): SystemdFacts {
  const place = findSystemd(rootless, environment);
  const asks = place.bus === "user" && kind === "v2";
  return { ...place, controlGroup: asks ? withSystemd(place, (systemd) => systemd.controlGroup()) : "" };
}

/**
 * Finds it, for a container that is about to be created. `rootless` is the option of that name; "auto" is decided by
 * who we are: another user has the user's, and so has the root of a user namespace in the session of another user.
 */
function findSystemd(rootless: boolean | "auto", environment: Environment): SystemdPlace {
  // sd_booted(3)
  const booted = tryStatx(CWD, "/run/systemd/system", AT_SYMLINK_NOFOLLOW);
  if (typeof booted === "number" || !isType(booted, S_IFDIR)) {
    const message = "systemd not running on this host, cannot use systemd cgroups manager";
    throw new RuntimeError("unsupported", message);
  }
  if (rootless === false) return { bus: "system" };
  if (rootless === true || geteuid() !== 0) return { bus: "user", address: requireUserBus(environment) };
  if (!inUserNamespace()) return { bus: "system" };
  const address = userBus(environment);
  if (address === undefined || ownerOf({ bus: "user", address }) === 0) return { bus: "system" };
  return { bus: "user", address };
}

/**
 * As runc (rootless_linux.go, shouldUseRootlessCgroupManager): where nobody's session is to be found, this root has a
 * systemd of its own.
 */
function ownerOf(place: SystemdPlace): number {
  try {
    return withSystemd(place, (systemd) => systemd.ownerUid());
  } catch {
    return 0;
  }
}

function requireUserBus(environment: Environment): string {
  const address = userBus(environment);
  if (address !== undefined) return address;
  const message =
    "could not detect DBUS_SESSION_BUS_ADDRESS from the environment; make sure you have installed the dbus-user-session or dbus-daemon package; note you may need to re-login";
  throw new RuntimeError("unsupported", message);
}

/** The address of the session's message bus. */
export function userBus({ DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR }: Environment): string | undefined {
  if (DBUS_SESSION_BUS_ADDRESS) return DBUS_SESSION_BUS_ADDRESS;
  const path = `${XDG_RUNTIME_DIR}/bus`;
  if (!XDG_RUNTIME_DIR || typeof tryStatx(CWD, path, 0) === "number") return undefined;
  // D-Bus Specification, "Server Addresses": other bytes are escaped.
  return `unix:path=${encodeURI(path).replace(/[^-0-9A-Za-z_/.\\*%]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`;
}
