/** What is asked of systemd by D-Bus (org.freedesktop.systemd1(5)): units made, changed and stopped, each job awaited. */
import { EINVAL } from "../../syscalls/constants/errno.ts";
import { type Bus, connectBus, type DbusFailure } from "../../syscalls/dbus.ts";
import type { DbusData, DbusVariant } from "../../syscalls/dbus_value.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import type { Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { SystemdPlace } from "../plan/cgroup/hierarchies.ts";
import { nameDeviceGroups } from "../plan/systemd/resources.ts";
import type { UnitProperty } from "../plan/systemd/unit_property.ts";

const SYSTEMD = "org.freedesktop.systemd1";
const OBJECT = "/org/freedesktop/systemd1";
const MANAGER = `${SYSTEMD}.Manager`;
const JOB_TIMEOUT_MS = 30_000;
/** The broker's queue of connections can be full for a moment; 100 ms at first, twice as long each time. */
const CONNECT_ATTEMPTS = 7;

/** Does something with a connection that ends with it. */
export function withSystemd<T>(place: SystemdPlace, act: (systemd: Systemd) => T): T {
  const { bus, brokered } = connect(place);
  try {
    return act(new Systemd(bus, brokered));
  } finally {
    bus.close();
  }
}

/** Where each systemd listens; a host without a message broker has only the second. */
const systemAddresses = [
  ["unix:path=/run/dbus/system_bus_socket", "broker"],
  ["unix:path=/run/systemd/private", "direct"],
] as const;

function connect(place: SystemdPlace): { bus: Bus; brokered: boolean } {
  if (place.bus === "user") {
    const address = place.address ?? "";
    return { bus: retrying(() => connectBus(address, "broker")), brokered: true };
  }
  let failure: unknown;
  for (const [address, peer] of systemAddresses) {
    try {
      return { bus: retrying(() => connectBus(address, peer)), brokered: peer === "broker" };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function retrying(attempt: () => Bus): Bus {
  for (let i = 0; ; i++) {
    try {
      return attempt();
    } catch (error) {
      if (!isErrno(error, "EAGAIN") || i === CONNECT_ATTEMPTS) throw error;
      sleepMs(100 << i);
    }
  }
}

/** One systemd, by one connection. Every failure is an OpError that repeats what systemd said. */
class Systemd {
  private known: number | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly brokered: boolean,
  ) {}

  /** Its version, such as 252. */
  version(): number {
    this.known ??= Number(/[0-9]+/.exec(this.managerProperty("Version"))?.[0] ?? "0");
    return this.known;
  }

  /** The cgroup that its units lie below: "" for the system's own. */
  controlGroup(): string {
    return this.managerProperty("ControlGroup");
  }

  /** The uid of whose session it is, which another user namespace does not change. */
  ownerUid(): number {
    return this.bus.ownerUid(SYSTEMD);
  }

  /**
   * Starts a transient unit and waits until it is there. A unit that failed keeps its name until it is reset, so one
   * of that name is reset once; a unit that lives is an EEXIST.
   */
  startUnit(name: string, properties: readonly UnitProperty[]): void {
    this.listenForJobs();
    const selected = this.select(properties, true);
    const args = [name, "replace", selected.map(asVariant), []];
    const start = () => this.call("StartTransientUnit", "ssa(sv)a(sa(sv))", args, "o");
    let answer = start();
    if (isFailure(answer) && answer.name === `${SYSTEMD}.UnitExists`) {
      this.resetFailed(name);
      answer = start();
    }
    if (isFailure(answer)) throw failed("start unit", name, answer, selected);
    const result = this.resultOf(answer[0]);
    if (result === "done") return;
    this.resetFailed(name);
    if (result === undefined)
      throw new RuntimeError("child", `timeout waiting for systemd to create ${name}`);
    throw new RuntimeError("child", `error creating systemd unit \`${name}\`: got \`${result}\``);
  }

  /** Stops a unit, and waits until it is gone; one that is not there is fine. */
  stopUnit(name: string): void {
    this.listenForJobs();
    const answer = this.call("StopUnit", "ss", [name, "replace"], "o");
    if (isFailure(answer)) {
      if (answer.name === `${SYSTEMD}.NoSuchUnit`) return;
      throw failed("stop unit", name, answer, []);
    }
    if (this.resultOf(answer[0]) === undefined)
      throw new RuntimeError("child", `timed out while waiting for systemd to remove ${name}`);
    this.resetFailed(name);
  }

  /** Changes properties until the unit ends. */
  setProperties(name: string, properties: readonly UnitProperty[]): void {
    const selected = this.select(properties, false);
    if (selected.length === 0) return;
    const answer = this.call("SetUnitProperties", "sba(sv)", [name, true, selected.map(asVariant)], "");
    if (isFailure(answer)) throw failed("set properties of unit", name, answer, selected);
  }

  /** Moves a process into the unit's own cgroup, with systemd's right to do so instead of the caller's. */
  attach(name: string, pid: Pid): void {
    const answer = this.call("AttachProcessesToUnit", "ssau", [name, "/", [pid]], "");
    if (isFailure(answer)) throw failed(`attach pid ${pid} to unit`, name, answer, []);
  }

  /** Forgets that a unit has failed; that it has not, or is not there, is no error. */
  private resetFailed(name: string): void {
    this.call("ResetFailedUnit", "s", [name], "");
  }

  private call(member: string, signature: string, args: readonly DbusData[], returns: string) {
    const method = { destination: SYSTEMD, path: OBJECT, interface: MANAGER, member };
    return this.bus.call(method, signature, args, returns);
  }

  /** Before the call that makes the job, or its end could be missed. A direct connection is told everything. */
  private listenForJobs(): void {
    if (!this.brokered) return;
    const rule = `type='signal',sender='${SYSTEMD}',path='${OBJECT}',interface='${MANAGER}',member='JobRemoved'`;
    const method = {
      destination: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      member: "AddMatch",
    };
    const answer = this.bus.call(method, "s", [rule], "");
    if (isFailure(answer)) throw failed("listen on", "D-Bus", answer, []);
  }

  /** How a job ended ("done", "failed", "timeout", …); undefined when it has not within 30 s. */
  private resultOf(job: DbusData | undefined): string | undefined {
    let result: string | undefined;
    const signal = { interface: MANAGER, member: "JobRemoved" };
    this.bus.waitForSignal(signal, "uoss", JOB_TIMEOUT_MS, ([, path, , text]) => {
      if (path !== job) return false;
      result = String(text);
      return true;
    });
    return result;
  }

  /** What this version takes. Its number is asked for only when something depends on it. */
  private select(properties: readonly UnitProperty[], atStart: boolean): UnitProperty[] {
    const wanted = properties.filter(({ onlyAtStart }) => atStart || !onlyAtStart);
    const selected = wanted.filter(
      ({ since, before }) =>
        (since === undefined || this.version() >= since) && (before === undefined || this.version() < before),
    );
    const byGroup = selected.some(({ name }) => name === "DeviceAllow") && this.version() < 240;
    if (!byGroup) return selected;
    const devices = readTextAt(CWD, "/proc/devices");
    return selected.map((property) => nameDeviceGroups(property, devices));
  }

  private managerProperty(name: string): string {
    const method = {
      destination: SYSTEMD,
      path: OBJECT,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
    };
    const answer = this.bus.call(method, "ss", [MANAGER, name], "v");
    if (isFailure(answer)) throw failed("ask systemd for", name, answer, []);
    return String((answer[0] as DbusVariant).value);
  }
}

function asVariant({ name, signature, value }: UnitProperty): DbusData {
  return [name, { signature, value }];
}

function isFailure(answer: readonly DbusData[] | DbusFailure): answer is DbusFailure {
  return !Array.isArray(answer);
}

/** Where the usual errno is misleading. */
const errnos: Readonly<Record<string, number>> = {
  "org.freedesktop.DBus.Error.PropertyReadOnly": EINVAL, // unknown, or not of this kind of unit
};

/** The error that names the part of config.json, when systemd names the property. */
function failed(op: string, object: string, failure: DbusFailure, sent: readonly UnitProperty[]): OpError {
  const { name, message } = failure;
  const errno = errnos[name] ?? failure.errno;
  const error = OpError.from(op, object, errno, message === "" ? name : `systemd says: ${message}`);
  const blamed = sent
    .filter((property) => message.includes(property.name))
    .sort((a, b) => b.name.length - a.name.length)[0]?.from;
  return blamed === undefined ? error : error.askedBy(blamed);
}
