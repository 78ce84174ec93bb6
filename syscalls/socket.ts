/** Sockets of AF_UNIX with descriptors in messages, and the one request that brings up the loopback device. */

import { pointedTo } from "./arg.ts";
import {
  AF_INET,
  AF_UNIX,
  IFF_UP,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SIOCGIFFLAGS,
  SIOCSIFFLAGS,
  SO_PEERCRED,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./constants/socket.ts";
import { BadString } from "./cstring.ts";
import { fdAt } from "./descriptor.ts";
import { host } from "./engine/host.ts";
import { closing } from "./scope.ts";
import { Struct } from "./struct.ts";
import { call, callForFd, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

/** socketpair(2) that keeps message boundaries: each send is one recv. */
export function messagePair(): [Fd, Fd] {
  const fds = new Int32Array(2);
  call("socketpair", [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds]);
  return [fdAt(fds[0]), fdAt(fds[1])];
}

/** SO_SNDBUF, so that one message of this size fits (the kernel doubles it and caps it at wmem_max). */
export function setSendBuffer(fd: Fd, bytes: number): void {
  tryCall("setsockopt", [fd, SOL_SOCKET, SO_SNDBUF, new Int32Array([bytes]), 4]);
}

/** struct sockaddr_un; the path must fit sun_path (107 bytes and a NUL). */
function unixAddress(path: string): Uint8Array {
  const name = encodeUtf8(path);
  if (name.length > 107) throw new BadString(`${path} is longer than the 107 bytes of a socket address`);
  if (name.includes(0)) throw new BadString(`${JSON.stringify(path)} contains a NUL byte`);
  const address = new Struct(2 + name.length + 1).u16(0, AF_UNIX);
  address.bytes.set(name, 2);
  return address.bytes;
}

/** A stream socket connected to a path. */
export function connectUnix(path: string): Fd {
  return unixSocket(SOCK_STREAM, path, (fd) => act("connect", fd, path, unixAddress(path)));
}

/**
 * connect(2) of a non-blocking stream socket to the bytes of a name, as unix(7) has them: a path without a NUL, or an
 * abstract name after one, of at most 107 bytes. EAGAIN when the listener's queue is full.
 */
export function connectUnixName(name: Uint8Array, object: string, op: string): Fd {
  const address = new Struct(2 + name.length + (name[0] === 0 ? 0 : 1)).u16(0, AF_UNIX);
  address.bytes.set(name, 2);
  return unixSocket(SOCK_STREAM | SOCK_NONBLOCK, object, (fd) => {
    call("connect", [fd, address.bytes, address.bytes.length], object, op);
  });
}

/** send(2) of as much as there is room for, possibly less than all; -EAGAIN when there is none. Never SIGPIPE. */
export function trySend(socket: Fd, bytes: Uint8Array): ResultOrErrno {
  return tryCall("sendto", [socket, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, null, 0]);
}

/** recv(2) of what is there; 0 at the end, -EAGAIN when there is nothing yet. Descriptors that came along are dropped. */
export function tryReceive(socket: Fd, buffer: Uint8Array): ResultOrErrno {
  return tryCall("recvfrom", [socket, buffer, buffer.length, MSG_DONTWAIT, null, null]);
}

/** SO_PEERCRED (unix(7)): the effective user who listened or connected, as this user namespace numbers users. */
export function peerUid(socket: Fd): number {
  const credentials = new Struct(12); // struct ucred
  const size = new Int32Array([credentials.bytes.length]);
  call("getsockopt", [socket, SOL_SOCKET, SO_PEERCRED, credentials.bytes, size]);
  return credentials.getU32(4);
}

/** A stream socket that listens at a path, which must not exist yet. */
export function listenUnix(path: string): Fd {
  return unixSocket(SOCK_STREAM, path, (fd) => {
    act("bind", fd, path, unixAddress(path));
    call("listen", [fd, 8], path);
  });
}

/** accept4(2); waits for a peer. */
export function accept(listener: Fd): Fd {
  return callForFd("accept4", [listener, null, null, SOCK_CLOEXEC]);
}

/** A datagram socket bound to a path. */
export function bindDatagram(path: string): Fd {
  return unixSocket(SOCK_DGRAM, path, (fd) => act("bind", fd, path, unixAddress(path)));
}

/** A datagram socket connected to a path, or to the abstract name after "@" (sd_notify(3)). */
export function connectDatagram(path: string): Fd {
  let address = unixAddress(path);
  if (path.startsWith("@")) {
    address[2] = 0;
    address = address.subarray(0, -1); // the length is part of the name
  }
  return unixSocket(SOCK_DGRAM, path, (fd) => act("connect", fd, path, address));
}

function act(name: "bind" | "connect", fd: Fd, path: string, address: Uint8Array): void {
  call(name, [fd, address, address.length], path);
}

function unixSocket(type: number, path: string, use: (fd: Fd) => void): Fd {
  const fd = callForFd("socket", [AF_UNIX, type | SOCK_CLOEXEC, 0], path);
  try {
    use(fd);
    return fd;
  } catch (error) {
    tryCall("close", [fd]);
    throw error;
  }
}

/** struct msghdr with one iovec and room for control data. */
function messageHeader(payload: Uint8Array, control: Uint8Array): Struct {
  const iovec = new BigUint64Array([BigInt(host.addressOf(payload)), BigInt(payload.length)]);
  const header = new Struct(56)
    .u64(16, host.addressOf(iovec))
    .u64(24, 1)
    .u64(32, control.length === 0 ? 0 : host.addressOf(control))
    .u64(40, control.length);
  pointedTo.set(header.bytes, [payload, control, iovec]);
  return header;
}

/** sendmsg(2) of a payload with at most one descriptor (SCM_RIGHTS, unix(7)); never SIGPIPE. */
export function sendMessage(socket: Fd, payload: Uint8Array, descriptor?: Fd): void {
  const control = new Struct(descriptor === undefined ? 0 : 24);
  if (descriptor !== undefined) control.u64(0, 20).i32(8, SOL_SOCKET).i32(12, SCM_RIGHTS).i32(16, descriptor);
  call("sendmsg", [socket, messageHeader(payload, control.bytes).bytes, MSG_NOSIGNAL]);
}

/** What recvmsg(2) gave: no bytes at the end of the stream. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly descriptor?: Fd;
}

/** recvmsg(2) of one message of at most `limit` bytes; a failure such as ECONNRESET is minus errno. */
export function receiveMessage(socket: Fd, limit: number): Received | ResultOrErrno {
  const payload = new Uint8Array(limit);
  const control = new Struct(24);
  const header = messageHeader(payload, control.bytes);
  const count = tryCall("recvmsg", [socket, header.bytes, MSG_CMSG_CLOEXEC]);
  if (count < 0) return count;
  const bytes = payload.subarray(0, count);
  const hasDescriptor = header.getU64(40) >= 20n && control.getI32(12) === SCM_RIGHTS;
  return hasDescriptor ? { bytes, descriptor: fdAt(control.getI32(16)) } : { bytes };
}

/**
 * Sets IFF_UP on an interface of this network namespace by ioctl(2) (netdevice(7)), for where netlink is not to be had.
 * Throws EAFNOSUPPORT or EPERM where this family of sockets is refused as well.
 */
export function interfaceUpByIoctl(name: string): void {
  closing(callForFd("socket", [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], name), (fd) => {
    const request = new Struct(40);
    request.bytes.set(encodeUtf8(name).subarray(0, 15), 0);
    call("ioctl", [fd, SIOCGIFFLAGS, request.bytes], name);
    request.u16(16, request.getU16(16) | IFF_UP);
    call("ioctl", [fd, SIOCSIFFLAGS, request.bytes], name);
  });
}
