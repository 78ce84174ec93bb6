/** Which errno is meant by the name of a D-Bus error, as sd-bus-errors(3) and systemd have them. */
import { EIO, type ErrnoName, errnoNumber } from "./constants/errno.ts";

const standard: Readonly<Record<string, ErrnoName>> = {
  Failed: "EACCES",
  NoMemory: "ENOMEM",
  ServiceUnknown: "EHOSTUNREACH",
  NameHasNoOwner: "ENXIO",
  NoReply: "ETIMEDOUT",
  IOError: "EIO",
  BadAddress: "EADDRNOTAVAIL",
  NotSupported: "EOPNOTSUPP",
  LimitsExceeded: "ENOBUFS",
  AccessDenied: "EACCES",
  AuthFailed: "EACCES",
  InteractiveAuthorizationRequired: "EACCES",
  NoServer: "EHOSTDOWN",
  Timeout: "ETIMEDOUT",
  NoNetwork: "ENONET",
  AddressInUse: "EADDRINUSE",
  Disconnected: "ECONNRESET",
  InvalidArgs: "EINVAL",
  FileNotFound: "ENOENT",
  FileExists: "EEXIST",
  UnknownMethod: "EBADR",
  UnknownObject: "EBADR",
  UnknownInterface: "EBADR",
  UnknownProperty: "EBADR",
  PropertyReadOnly: "EROFS",
  UnixProcessIdUnknown: "ESRCH",
  InvalidSignature: "EINVAL",
  InconsistentMessage: "EBADMSG",
  TimedOut: "ETIMEDOUT",
  MatchRuleInvalid: "EINVAL",
  InvalidFileContent: "EINVAL",
  MatchRuleNotFound: "ENOENT",
  SELinuxSecurityContextUnknown: "ESRCH",
  ObjectPathInUse: "EBUSY",
};

const systemd: Readonly<Record<string, ErrnoName>> = {
  NoSuchUnit: "ENOENT",
  NoUnitForPID: "ESRCH",
  UnitExists: "EEXIST",
  LoadFailed: "EIO",
  BadUnitSetting: "ENOEXEC",
  JobFailed: "EREMOTEIO",
  NoSuchJob: "ENOENT",
  NotSubscribed: "EINVAL",
  AlreadySubscribed: "EINVAL",
  OnlyByDependency: "EINVAL",
  TransactionJobsConflicting: "EDEADLK",
  TransactionOrderIsCyclic: "EDEADLK",
  TransactionIsDestructive: "EDEADLK",
  UnitMasked: "ESHUTDOWN",
  UnitGenerated: "EADDRNOTAVAIL",
  UnitLinked: "ELOOP",
  JobTypeNotApplicable: "EBADR",
  NoIsolation: "EPERM",
  ShuttingDown: "ECANCELED",
  ScopeNotRunning: "EHOSTDOWN",
  NoSuchProcess: "ESRCH",
};

/** Tables of names by what comes before the last dot. */
const tables: Readonly<Record<string, Readonly<Record<string, ErrnoName>>>> = {
  "org.freedesktop.DBus.Error": standard,
  "org.freedesktop.systemd1": systemd,
};

/** The number for a name such as "org.freedesktop.DBus.Error.AccessDenied" or "System.Error.ENOSPC"; EIO for others. */
export function errnoOf(name: string): number {
  const dot = name.lastIndexOf(".");
  const last = name.slice(dot + 1);
  const table = tables[name.slice(0, dot)] ?? {};
  const errno = name.startsWith("System.Error.")
    ? last
    : Object.hasOwn(table, last)
      ? table[last]
      : undefined;
  return (errno === undefined ? undefined : errnoNumber(errno)) ?? EIO;
}
