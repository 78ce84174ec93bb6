import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errnoName } from "./constants/errno.ts";
import { errnoOf } from "./dbus_errno.ts";

const errnos = suite("errno of a D-Bus error");

for (const [name, errno] of [
  ["org.freedesktop.DBus.Error.AccessDenied", "EACCES"],
  ["org.freedesktop.DBus.Error.NoReply", "ETIMEDOUT"],
  ["org.freedesktop.DBus.Error.Timeout", "ETIMEDOUT"],
  ["org.freedesktop.DBus.Error.InvalidArgs", "EINVAL"],
  ["org.freedesktop.systemd1.NoSuchUnit", "ENOENT"],
  ["org.freedesktop.systemd1.UnitExists", "EEXIST"],
  ["System.Error.ENOSPC", "ENOSPC"],
  ["System.Error.ENOTHING", "EIO"],
  ["org.freedesktop.DBus.Error.constructor", "EIO"],
  ["constructor.name", "EIO"],
  ["com.example.Odd", "EIO"],
  ["", "EIO"],
] as const)
  errnos(name, () => assert.is(errnoName(errnoOf(name)), errno));

errnos.run();
