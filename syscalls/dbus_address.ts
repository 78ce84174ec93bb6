/** Where a bus listens (D-Bus Specification, "Server Addresses"). */
import { EINVAL, ENAMETOOLONG, EPROTONOSUPPORT } from "./constants/errno.ts";
import { DbusTransportError } from "./dbus_transport_error.ts";
import { encodeUtf8 } from "./utf8.ts";

/** sun_path of unix(7) has a NUL at its end, or at the beginning of an abstract name. */
const MAX_NAME = 107;

/** The addresses of a list such as "unix:path=/run/user/1000/bus;unix:abstract=x,guid=0123", in their order. */
export function addressesIn(list: string): string[] {
  return list.split(";").filter((address) => address !== "");
}

/**
 * The socket that one address names: a path, or an abstract name that begins with a NUL. A DbusTransportError says what is
 * wrong with the address: EPROTONOSUPPORT for another transport than Unix sockets, ENAMETOOLONG, EINVAL.
 */
export function socketName(address: string): Uint8Array {
  const colon = address.indexOf(":");
  const transport = address.slice(0, colon);
  if (colon < 0) throw new DbusTransportError(EINVAL, "this is not an address");
  if (transport !== "unix")
    throw new DbusTransportError(
      EPROTONOSUPPORT,
      `the transport "${transport}" is not supported, only "unix" is`,
    );
  const keys = keysOf(address.slice(colon + 1));
  const [path, abstract] = [keys.get("path"), keys.get("abstract")];
  const name = path ?? abstract;
  if (name === undefined || (path !== undefined && abstract !== undefined))
    throw new DbusTransportError(EINVAL, "it has to say either path or abstract, once");
  if (name.length > MAX_NAME) throw new DbusTransportError(ENAMETOOLONG, "a socket has at most 107 bytes");
  if (path === undefined) return Uint8Array.of(0, ...name);
  if (name.length === 0 || name.includes(0)) throw new DbusTransportError(EINVAL, "it has no path");
  return name;
}

/** "KEY=VALUE,…": who we talk to is known by the socket, so the guid is not looked at. */
function keysOf(text: string): Map<string, Uint8Array> {
  const keys = new Map<string, Uint8Array>();
  for (const pair of text.split(",").filter((each) => each !== "")) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, equals);
    if (equals < 1 || keys.has(key))
      throw new DbusTransportError(EINVAL, `"${pair}" has no key, or one twice`);
    keys.set(key, unescaped(pair.slice(equals + 1)));
  }
  return keys;
}

/** Bytes that should have been escaped and are not are taken as they are, as sd-bus does. */
function unescaped(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, hex, plain = ""] of text.matchAll(/%([0-9A-Fa-f]{2})|([^%]+|%)/g)) {
    if (plain === "%")
      throw new DbusTransportError(EINVAL, `"${text}" has a "%" without two hexadecimal digits`);
    if (hex === undefined) bytes.push(...encodeUtf8(plain));
    else bytes.push(Number.parseInt(hex, 16));
  }
  return Uint8Array.from(bytes);
}
