/** A small rtnetlink (rtnetlink(7)): attributes, one request and its answers, with the kernel's own words on errors. */

import {
  IFLA_IFNAME,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_ROUTE,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MSG,
  RTM_NEWLINK,
  SOL_NETLINK,
} from "./constants/netlink.ts";
import { AF_NETLINK, IFF_UP, SOCK_CLOEXEC, SOCK_DGRAM } from "./constants/socket.ts";
import { BadString, textOf } from "./cstring.ts";
import { OpError } from "./error.ts";
import { closing } from "./scope.ts";
import { Struct } from "./struct.ts";
import { call, callForFd, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export * from "./constants/netlink.ts";

/** One attribute: its type (IFLA_*, IFA_*) and its value. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** One message of the kernel, without its netlink header. */
export interface NetlinkMessage {
  readonly type: number;
  readonly body: Uint8Array;
}

/** What is asked of the kernel. */
export interface NetlinkRequest {
  readonly type: number;
  /** NLM_F_*, besides the request itself. */
  readonly flags: number;
  /** struct ifinfomsg or ifaddrmsg. */
  readonly header: Uint8Array;
  readonly attributes: readonly Attribute[];
}

const HEADER = 16;
/** struct ifinfomsg: the family, 8 the flags, 12 which of them change. */
const IFINFOMSG = 16;
const MAX_MESSAGE = 64 * 1024;
/** One link, or an acknowledgement with the kernel's words and the request that it is for. */
const MAX_ANSWER = 16 * 1024;

/** A rtnetlink socket of the network namespace that this process is in now, and stays in whatever it does next. */
export function openRouteSocket(): Fd {
  const fd = callForFd("socket", [AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE], "rtnetlink");
  // Errors that say more than EINVAL; a kernel without them (before 4.12) still answers.
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK])
    tryCall("setsockopt", [fd, SOL_NETLINK, option, new Int32Array([1]), 4]);
  return fd;
}

/** Sets IFF_UP on an interface of this network namespace (rtnetlink(7), RTM_NEWLINK). */
export function interfaceUp(name: string): void {
  closing(openRouteSocket(), (socket) => {
    const up = new Struct(IFINFOMSG).u32(8, IFF_UP).u32(12, IFF_UP);
    const attributes = [textAttribute(IFLA_IFNAME, name)];
    const request = { type: RTM_NEWLINK, flags: 0, header: up.bytes, attributes };
    netlinkRequest(socket, request, "set interface up", name);
  });
}

/** Sends a request and collects the answers; a refusal is an OpError of this operation and object. */
export function netlinkRequest(
  socket: Fd,
  request: NetlinkRequest,
  op: string,
  object: string,
): NetlinkMessage[] {
  const bytes = encodeRequest(request);
  call("sendto", [socket, bytes, bytes.length, 0, null, 0], object, op);
  const dump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
  const buffer = new Uint8Array(dump ? MAX_MESSAGE : MAX_ANSWER);
  const answers: NetlinkMessage[] = [];
  for (;;) {
    const count = call("recvfrom", [socket, buffer, buffer.length, 0, null, null], object, op);
    for (const { type, flags, body } of decodeMessages(buffer.slice(0, count))) {
      if (type === NLMSG_DONE) return answers;
      if (type !== NLMSG_ERROR) {
        answers.push({ type, body });
        continue;
      }
      const errno = -new DataView(body.buffer, body.byteOffset).getInt32(0, true);
      if (errno !== 0) throw OpError.from(op, object, errno, kernelWords(flags, body));
      if (!dump) return answers;
    }
  }
}

/** struct nlmsghdr, the body, the attributes. */
export function encodeRequest({ type, flags, header, attributes }: NetlinkRequest): Uint8Array {
  const parts = [header, ...attributes.map(encodeAttribute)];
  const length = HEADER + parts.reduce((sum, part) => sum + aligned(part.length), 0);
  const acknowledge = (flags & NLM_F_DUMP) === NLM_F_DUMP ? 0 : NLM_F_ACK;
  const message = new Struct(length)
    .u32(0, length)
    .u16(4, type)
    .u16(6, flags | NLM_F_REQUEST | acknowledge);
  let at = HEADER;
  for (const part of parts) {
    message.bytes.set(part, at);
    at += aligned(part.length);
  }
  return message.bytes;
}

/** struct rtattr with its value. */
function encodeAttribute({ type, value }: Attribute): Uint8Array {
  const attribute = new Struct(4 + value.length).u16(0, 4 + value.length).u16(2, type);
  attribute.bytes.set(value, 4);
  return attribute.bytes;
}

/** The messages in one datagram. */
export function decodeMessages(bytes: Uint8Array): (NetlinkMessage & { readonly flags: number })[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: (NetlinkMessage & { readonly flags: number })[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) break;
    const body = bytes.subarray(at + HEADER, at + length);
    messages.push({ type: view.getUint16(at + 4, true), flags: view.getUint16(at + 6, true), body });
    at += aligned(length);
  }
  return messages;
}

/** The attributes behind a header of this size. */
export function decodeAttributes(body: Uint8Array, headerSize: number): Attribute[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes: Attribute[] = [];
  for (let at = aligned(headerSize); at + 4 <= body.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > body.length) break;
    attributes.push({
      type: view.getUint16(at + 2, true) & 0x3fff,
      value: body.subarray(at + 4, at + length),
    });
    at += aligned(length);
  }
  return attributes;
}

/** The extended acknowledgement behind the errno: what the driver has to say. */
function kernelWords(flags: number, body: Uint8Array): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  // NETLINK_CAP_ACK: errno and the header of the request, without its body.
  const text = decodeAttributes(body, 4 + HEADER).find(({ type }) => type === NLMSGERR_ATTR_MSG);
  return text === undefined ? undefined : textOf(text.value);
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

/** A string attribute, NUL-terminated. */
export function textAttribute(type: number, text: string): Attribute {
  if (text.includes("\0")) throw new BadString(`${JSON.stringify(text)} contains a NUL byte`);
  return { type, value: encodeUtf8(`${text}\0`) };
}

/** A 32-bit attribute. */
export function u32Attribute(type: number, value: number): Attribute {
  return { type, value: new Struct(4).u32(0, value).bytes };
}
