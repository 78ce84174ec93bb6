/** Names of the constants that system calls of sockets take, for the trace and for errors. */
import * as ioctl from "../constants/ioctl.ts";
import * as netlink from "../constants/netlink.ts";
import * as socket from "../constants/socket.ts";
import type { Names } from "../names.ts";

/** Families. */
export const AF_: Names = {
  AF_UNIX: socket.AF_UNIX,
  AF_INET: socket.AF_INET,
  AF_NETLINK: socket.AF_NETLINK,
};

/** Types and flags of socket(2). */
export const SOCK_: Names = {
  SOCK_STREAM: socket.SOCK_STREAM,
  SOCK_DGRAM: socket.SOCK_DGRAM,
  SOCK_SEQPACKET: socket.SOCK_SEQPACKET,
  SOCK_CLOEXEC: socket.SOCK_CLOEXEC,
  SOCK_NONBLOCK: socket.SOCK_NONBLOCK,
};

/** Options of SOL_SOCKET. */
export const SO_: Names = {
  SO_PASSCRED: socket.SO_PASSCRED,
  SO_SNDBUF: socket.SO_SNDBUF,
  SO_PEERCRED: socket.SO_PEERCRED,
};

/** sendmsg(2), recvmsg(2). */
export const MSG_: Names = {
  MSG_NOSIGNAL: socket.MSG_NOSIGNAL,
  MSG_DONTWAIT: socket.MSG_DONTWAIT,
  MSG_CMSG_CLOEXEC: socket.MSG_CMSG_CLOEXEC,
};

/** Flags of an interface. */
export const IFF_: Names = {
  IFF_UP: socket.IFF_UP,
  IFF_RUNNING: socket.IFF_RUNNING,
};

/** Requests of ioctl(2) to a socket. */
export const SIOC: Names = {
  SIOCGIFFLAGS: socket.SIOCGIFFLAGS,
  SIOCSIFFLAGS: socket.SIOCSIFFLAGS,
};

/** Levels of options. */
export const SOL_: Names = { SOL_SOCKET: socket.SOL_SOCKET, SOL_NETLINK: netlink.SOL_NETLINK };

/** Options of SOL_NETLINK. */
export const NETLINK_: Names = {
  NETLINK_CAP_ACK: netlink.NETLINK_CAP_ACK,
  NETLINK_EXT_ACK: netlink.NETLINK_EXT_ACK,
};

/** Requests of ioctl(2) to terminals and namespaces. */
export const REQUESTS: Names = {
  TIOCSCTTY: ioctl.TIOCSCTTY,
  TIOCGPTN: ioctl.TIOCGPTN,
  TIOCSPTLCK: ioctl.TIOCSPTLCK,
  TIOCGPTPEER: ioctl.TIOCGPTPEER,
  TIOCGWINSZ: ioctl.TIOCGWINSZ,
  TIOCSWINSZ: ioctl.TIOCSWINSZ,
  TCGETS: ioctl.TCGETS,
  TCSETS: ioctl.TCSETS,
  TCSETSW: ioctl.TCSETSW,
  FIONREAD: ioctl.FIONREAD,
  NS_GET_NSTYPE: ioctl.NS_GET_NSTYPE,
  NS_GET_USERNS: ioctl.NS_GET_USERNS,
  NS_GET_PARENT: ioctl.NS_GET_PARENT,
};
