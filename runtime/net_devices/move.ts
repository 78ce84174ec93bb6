/**
 * Moving network devices of the host into the container's network namespace. They are never moved back: when the
 * namespace ends the kernel returns physical devices to the host and destroys virtual ones.
 */
import { asking } from "../../syscalls/asking.ts";
import { EEXIST, ENODEV } from "../../syscalls/constants/errno.ts";
import { O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { IFF_UP } from "../../syscalls/constants/socket.ts";
import { textOf } from "../../syscalls/cstring.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { CLONE_NEWNET, setns } from "../../syscalls/namespace.ts";
import {
  type Attribute,
  decodeAttributes,
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_HOMEADDRESS,
  IFA_F_MANAGETEMPADDR,
  IFA_F_MCAUTOJOIN,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_FLAGS,
  IFA_LOCAL,
  IFA_RT_PRIORITY,
  IFLA_IFNAME,
  IFLA_NET_NS_FD,
  IFLA_NEW_IFINDEX,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  netlinkRequest,
  openRouteSocket,
  RT_SCOPE_UNIVERSE,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  textAttribute,
  u32Attribute,
} from "../../syscalls/netlink.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { scope } from "../../syscalls/scope.ts";
import { fstat } from "../../syscalls/stat.ts";
import { Struct } from "../../syscalls/struct.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { NetDeviceStep } from "../plan/net_devices.ts";

/** An address of a device, as RTM_NEWADDR takes it again. */
export interface Address {
  readonly family: number;
  readonly prefixLength: number;
  readonly attributes: readonly Attribute[];
}

interface Link {
  readonly index: number;
  readonly name: string;
}

/** Both ends: sockets that stay in the namespace they were opened in. */
interface Ends {
  readonly host: Fd;
  readonly container: Fd;
  /** The container's network namespace. */
  readonly namespace: Fd;
}

/** Moves the devices to the network namespace that the process is in, after a look at whether all of them can go. */
export function moveNetDevices(steps: readonly NetDeviceStep[], pid: Pid): void {
  scope((owner) => {
    const own = owner.own(openat(CWD, "/proc/self/ns/net", O_RDONLY));
    const namespace = owner.own(openat(CWD, `/proc/${pid}/ns/net`, O_RDONLY));
    const host = owner.own(openRouteSocket());
    if (fstat(own).ino === fstat(namespace).ino)
      throw new RuntimeError(
        "invalid-argument",
        "unable to move network devices without a private NET namespace",
      );
    const container = owner.own(socketIn(namespace, own));
    const ends = { host, container, namespace };
    const links = steps.map((step) => asking(step.from, () => requireMovable(ends, step)));
    steps.forEach((step, i) => {
      const link = links[i];
      if (link !== undefined) asking(step.from, () => move(ends, link, step));
    });
  });
}

/** A rtnetlink socket of another namespace: this process goes there and comes back, with nothing done in between. */
function socketIn(namespace: Fd, own: Fd): Fd {
  setns(namespace, CLONE_NEWNET, "the container's network namespace");
  try {
    return openRouteSocket();
  } finally {
    setns(own, CLONE_NEWNET, "/proc/self/ns/net");
  }
}

/** The spec's check before the move: the device exists here, and its name is free there. */
function requireMovable(ends: Ends, { device, name }: NetDeviceStep): Link {
  const link = tryLinkByName(ends.host, device);
  if (link?.name !== device) throw OpError.from("move network device", device, ENODEV);
  if (!name.includes("%d") && tryLinkByName(ends.container, name) !== undefined)
    throw OpError.from(
      "move network device",
      `${device} to ${name}`,
      EEXIST,
      "the container has a device of this name",
    );
  return link;
}

function move(ends: Ends, link: Link, { device, name }: NetDeviceStep): void {
  // Before the move, which takes the device down and its addresses away.
  const addresses = addressesOf(ends.host, link);
  const index = freeIndex(ends.container, link.index);
  const attributes = [
    u32Attribute(IFLA_NET_NS_FD, ends.namespace),
    textAttribute(IFLA_IFNAME, name),
    // Kept where it is free; given, so that a device with a "%d" in its name can be found again (5.13).
    u32Attribute(IFLA_NEW_IFINDEX, index),
  ];
  setLink(ends.host, link.index, 0, attributes, "move network device", `${device} to ${name}`);
  for (const address of addresses) addAddress(ends.container, index, address, name);
  setLink(ends.container, index, IFF_UP, [], "set network device up", name);
}

/** The index that the device has here, or when another device there has it the next one that is free. */
function freeIndex(socket: Fd, wanted: number): number {
  const request = { type: RTM_GETLINK, flags: NLM_F_DUMP, header: linkHeader(0, 0), attributes: [] };
  const taken = netlinkRequest(socket, request, "list network devices", "").map(
    ({ body }) => linkOf(body).index,
  );
  return taken.includes(wanted) ? Math.max(wanted, ...taken) + 1 : wanted;
}

/** Also by an alternative name, which takes up the name as well. */
function tryLinkByName(socket: Fd, name: string): Link | undefined {
  const attributes = [textAttribute(IFLA_IFNAME, name)];
  const request = { type: RTM_GETLINK, flags: 0, header: linkHeader(0, 0), attributes };
  try {
    const [answer] = netlinkRequest(socket, request, "find network device", name);
    return answer === undefined ? undefined : linkOf(answer.body);
  } catch (error) {
    if (isErrno(error, "ENODEV")) return undefined;
    throw error;
  }
}

function setLink(
  socket: Fd,
  index: number,
  up: number,
  attributes: readonly Attribute[],
  op: string,
  object: string,
): void {
  const request = { type: RTM_NEWLINK, flags: 0, header: linkHeader(index, up), attributes };
  netlinkRequest(socket, request, op, object);
}

/** struct ifinfomsg; `up` is set and asked for, other flags are left. */
function linkHeader(index: number, up: number): Uint8Array {
  return new Struct(16).i32(4, index).u32(8, up).u32(12, up).bytes;
}

function linkOf(body: Uint8Array): Link {
  const index = new DataView(body.buffer, body.byteOffset).getInt32(4, true);
  const name = decodeAttributes(body, 16).find(({ type }) => type === IFLA_IFNAME);
  return { index, name: name === undefined ? "" : textOf(name.value) };
}

/** The flags of an address that somebody chose; the others are the kernel's own knowledge of it. */
const CHOSEN_FLAGS =
  IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

const KEPT = new Set([IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY]);

function addressesOf(socket: Fd, link: Link): Address[] {
  const request = { type: RTM_GETADDR, flags: NLM_F_DUMP, header: addressHeader(0, 0, 0), attributes: [] };
  return netlinkRequest(socket, request, "list addresses", link.name).flatMap(({ body }) =>
    keptAddress(body, link.index),
  );
}

/** The address of a RTM_NEWADDR message, if it is of this device, permanent and of global scope. */
export function keptAddress(body: Uint8Array, index: number): Address[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = decodeAttributes(body, 8);
  const long = attributes.find(({ type }) => type === IFA_FLAGS)?.value;
  const flags =
    long === undefined ? view.getUint8(2) : new DataView(long.buffer, long.byteOffset).getUint32(0, true);
  const mine = view.getUint32(4, true) === index;
  if (!mine || (flags & IFA_F_PERMANENT) === 0 || view.getUint8(3) !== RT_SCOPE_UNIVERSE) return [];
  // The label, which for IPv4 is the device's old name, is left behind.
  const kept = attributes.filter(({ type }) => KEPT.has(type));
  const chosen = flags & CHOSEN_FLAGS;
  return [
    {
      family: view.getUint8(0),
      prefixLength: view.getUint8(1),
      attributes: chosen === 0 ? kept : [...kept, u32Attribute(IFA_FLAGS, chosen)],
    },
  ];
}

function addAddress(socket: Fd, index: number, address: Address, name: string): void {
  const header = addressHeader(address.family, address.prefixLength, index);
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  const { attributes } = address;
  netlinkRequest(
    socket,
    { type: RTM_NEWADDR, flags, header, attributes },
    "add address to network device",
    name,
  );
}

/** struct ifaddrmsg. */
function addressHeader(family: number, prefixLength: number, index: number): Uint8Array {
  const header = new Struct(8).u32(4, index);
  header.bytes.set([family, prefixLength], 0);
  return header.bytes;
}
