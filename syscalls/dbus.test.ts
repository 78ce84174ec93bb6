/** The other side of each connection has said everything beforehand: its bytes wait in the socket. */

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fork } from "../runtime/self/fork.ts";
import { monotonicNow } from "./clock.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from "./constants/socket.ts";
import { type Bus, busOver, connectBus, type DbusFailure, type DbusPeer } from "./dbus.ts";
import {
  ERROR,
  ERROR_NAME,
  INTERFACE,
  MEMBER,
  METHOD_RETURN,
  PATH,
  REPLY_SERIAL,
  SENDER,
  SIGNAL,
  SIGNATURE,
} from "./dbus_message.ts";
import type { DbusData } from "./dbus_value.ts";
import { DbusWriter } from "./dbus_writer.ts";
import { pipe } from "./descriptor.ts";
import { isErrno } from "./error.ts";
import { geteuid } from "./identity.ts";
import { tryRead, writeAll } from "./io.ts";
import { close } from "./open.ts";
import { sleepMs } from "./poll.ts";
import { exitGroup, getpid, tryPidfdSendSignal, waitFor } from "./process.ts";
import { SIGKILL } from "./signal.ts";
import { connectUnixName, tryReceive } from "./socket.ts";
import { Struct } from "./struct.ts";
import { call } from "./syscall.ts";
import { saying } from "./testing/saying.ts";
import { setTrace } from "./trace.ts";
import type { Fd } from "./types.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const dbus = suite("D-Bus connections");

type Field = readonly [field: number, signature: string, value: string | number];

function message(type: number, fields: readonly Field[], signature = "", args: readonly DbusData[] = []) {
  const [head, body] = [new DbusWriter(), new DbusWriter()];
  body.values(signature, args);
  const all: readonly Field[] = signature === "" ? fields : [...fields, [SIGNATURE, "g", signature]];
  const variants = all.map(([field, each, value]) => [field, { signature: each, value }]);
  head.values("yyyyuua(yv)", [0x6c, type, 0, 1, body.bytes.length, 1, variants]);
  head.pad(8);
  return Uint8Array.from([...head.bytes, ...body.bytes]);
}

const from = (sender: string): Field => [SENDER, "s", sender];
const reply = (serial: number, signature = "", args: readonly DbusData[] = [], sender = ":1.1") =>
  message(METHOD_RETURN, [[REPLY_SERIAL, "u", serial], from(sender)], signature, args);
const refusal = (serial: number, name: string, signature = "", args: readonly DbusData[] = []) =>
  message(
    ERROR,
    [
      [ERROR_NAME, "s", name],
      [REPLY_SERIAL, "u", serial],
    ],
    signature,
    args,
  );
const signal = (member: string, signature = "", args: readonly DbusData[] = [], sender = ":1.1") => {
  const fields: Field[] = [[PATH, "o", "/"], [INTERFACE, "s", "a.b"], [MEMBER, "s", member], from(sender)];
  return message(SIGNAL, fields, signature, args);
};

const OK = "OK 0123456789abcdef0123456789abcdef\r\n";
const method = { destination: "a.b", path: "/a", interface: "a.b", member: "Get" };
const ADDRESS = "unix:path=/test";

/** Our end, and the other one, which has said all that it will ever say. */
function ends(said: readonly (string | Uint8Array)[]): { ours: Fd; theirs: Fd } {
  const fds = new Int32Array(2);
  call("socketpair", [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds], "");
  for (const part of said) writeAll(fds[1] as Fd, typeof part === "string" ? encodeUtf8(part) : part);
  return { ours: fds[0] as Fd, theirs: fds[1] as Fd };
}

type Options = { readonly peer?: DbusPeer; readonly timeoutMs?: number; readonly ends?: boolean };

/** A connection on which the other side says this, and either ends it then or waits. */
function withBus(
  said: readonly (string | Uint8Array)[],
  body: (bus: Bus, heard: () => string) => void,
  { peer = "direct", timeoutMs = 2000, ends: hangsUp = false }: Options = {},
): void {
  const { ours, theirs } = ends(said);
  const heard = () => {
    const buffer = new Uint8Array(65536);
    return decodeUtf8(buffer.subarray(0, Math.max(0, tryReceive(theirs, buffer))));
  };
  try {
    // Without this a connection that was closed would refuse what we say before we have read what it said.
    if (hangsUp) call("shutdown", [theirs, 1], "");
    body(busOver(ours, peer, ADDRESS, timeoutMs), heard);
  } finally {
    close(ours);
    close(theirs);
  }
}

dbus("authentication without a uid; nobody is greeted on a direct connection", () =>
  withBus(["DATA\r\n", OK], (_, heard) => assert.is(heard(), "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")),
);

dbus("an old systemd needs no DATA", () =>
  withBus([OK], (_, heard) => assert.is(heard(), "\0AUTH EXTERNAL\r\nBEGIN\r\n")),
);

dbus("a broker is greeted", () =>
  withBus(
    ["DATA\r\n", OK, reply(1, "s", [":1.7"]), signal("NameAcquired", "s", [":1.7"])],
    (_, heard) => assert.match(heard(), /BEGIN\r\nl.*org\.freedesktop\.DBus.*Hello/s),
    { peer: "broker" },
  ),
);

dbus("a broker that has no room says so", () =>
  assert.throws(
    () =>
      withBus([OK, refusal(1, "org.freedesktop.DBus.Error.LimitsExceeded", "s", ["too many"])], () => {}, {
        peer: "broker",
      }),
    saying("connect to D-Bus unix:path=/test: ENOBUFS (no buffer space available) (too many)"),
  ),
);

dbus(
  "a direct peer that looks at the call only when more comes is given more, while its signals go on",
  () => {
    const { ours, theirs } = ends([OK]);
    const peer = fork(0, () => {
      close(ours);
      const buffer = new Uint8Array(4096);
      for (let heard = ""; !heard.includes("Ping"); ) {
        heard += decodeUtf8(buffer.subarray(0, Math.max(0, tryReceive(theirs, buffer))));
        writeAll(theirs, signal("Something", "s", ["else"]));
        sleepMs(5);
      }
      writeAll(theirs, reply(1, "u", [7]));
      exitGroup(0);
    });
    close(theirs);
    try {
      const bus = busOver(ours, "direct", ADDRESS, 20_000);
      assert.equal(bus.call(method, "", [], "u"), [7]);
    } finally {
      close(ours);
      tryPidfdSendSignal(peer.pidfd, SIGKILL);
      waitFor(peer.pid);
      close(peer.pidfd);
    }
  },
);

dbus("calls and their answers, however much they are", () => {
  const many = Array.from({ length: 8000 }, (_, i) => `number ${i}`);
  withBus([OK, reply(1), reply(2, "ub", [5, true]), reply(3, "as", [many])], (bus, heard) => {
    assert.equal(bus.call(method, "", [], ""), []);
    assert.equal(bus.call(method, "su", ["x", 1], "u"), [5]);
    assert.equal(bus.call(method, "", [], "as"), [many]);
    assert.is(heard().split("Get").length, 4);
  });
});

dbus("errors by name", () =>
  withBus(
    [OK, refusal(1, "org.freedesktop.systemd1.NoSuchUnit", "s", ["no unit"]), refusal(2, "a.Odd", "u", [1])],
    (bus) => {
      const [first, second] = [0, 0].map(() => bus.call(method, "", [], "") as DbusFailure);
      assert.equal(first, { name: "org.freedesktop.systemd1.NoSuchUnit", message: "no unit", errno: 2 });
      assert.equal(second, { name: "a.Odd", message: "", errno: 5 });
    },
  ),
);

const waited = { interface: "a.b", member: "Done" };

dbus("signals that come before the answer are seen afterwards, in their order", () =>
  withBus(
    [
      OK,
      signal("Done", "u", [1]),
      signal("Other"),
      signal("Done", "u", [2]),
      reply(1),
      signal("Done", "u", [3]),
    ],
    (bus) => {
      bus.call(method, "", [], "");
      const seen: DbusData[] = [];
      const until = (last: number) =>
        bus.waitForSignal(waited, "u", 1000, ([number = 0]) => seen.push(number) > 0 && number === last);
      assert.ok(until(2));
      assert.ok(until(3));
      assert.equal(seen, [1, 2, 3]);
    },
  ),
);

dbus("a broker's signals are those of whoever answered", () =>
  withBus(
    [
      OK,
      reply(1, "s", [":1.7"], "org.freedesktop.DBus"),
      reply(2),
      signal("Done", "u", [1], ":1.66"),
      signal("Done", "u", [2]),
    ],
    (bus) => {
      bus.call(method, "", [], "");
      assert.ok(bus.waitForSignal(waited, "u", 1000, ([number]) => number === 2));
    },
    { peer: "broker" },
  ),
);

dbus("the time for a signal is over", () =>
  withBus([OK, signal("Other")], (bus) => {
    const start = monotonicNow();
    assert.not(bus.waitForSignal(waited, "", 30, () => true));
    assert.ok(monotonicNow() - start >= 30_000_000n);
  }),
);

dbus("calls of the other side are no answers, nor are messages of types to come", () => {
  const ping = message(1, [
    [PATH, "o", "/"],
    [MEMBER, "s", "Ping"],
  ]);
  withBus([OK, ping, message(9, []), reply(1, "u", [7])], (bus) =>
    assert.equal(bus.call(method, "", [], "u"), [7]),
  );
});

const garbage = "HTTP/1.1 400 Bad Request\r\n\r\n";
const whole = reply(1, "s", ["text"]);
const huge = Uint8Array.from([0x6c, 2, 0, 1, 255, 255, 255, 7, 1, 0, 0, 0, 255, 255, 255, 3]);

/** What the other side says, whether it ends then, and the error. */
const unruly: readonly (readonly [
  title: string,
  said: (string | Uint8Array)[],
  ends: boolean,
  error: string,
])[] = [
  ["hangs up at once", [], true, "connect to D-Bus unix:path=/test: ECONNRESET"],
  ["hangs up in a line", ["DATA\r"], true, "connect to D-Bus unix:path=/test: ECONNRESET"],
  ["never answers", [], false, "connect to D-Bus unix:path=/test: ETIMEDOUT"],
  [
    "refuses us",
    ["DATA\r\nREJECTED EXTERNAL\r\n"],
    false,
    'EACCES (permission denied) (the other side answered "REJECTED',
  ],
  [
    "is no D-Bus",
    [garbage],
    false,
    'EBADMSG (bad message) (the other side answered "HTTP/1.1 400 Bad Request" when',
  ],
  ["asks for ever", ["DATA\r\n".repeat(1000)], false, "EBADMSG"],
  ["has no line end", ["x".repeat(20000)], false, "EBADMSG (bad message) (a line without an end)"],
  ["hangs up before it answers", [OK], true, "D-Bus a.b.Get: ECONNRESET"],
  ["hangs up in a message", [OK, whole.subarray(0, -3)], true, "D-Bus a.b.Get: ECONNRESET"],
  ["hangs up in a header", [OK, whole.subarray(0, 10)], true, "D-Bus a.b.Get: ECONNRESET"],
  ["stops in a message", [OK, whole.subarray(0, -3)], false, "D-Bus a.b.Get: ETIMEDOUT"],
  ["sends signals only", [OK, signal("Done"), signal("Done")], false, "D-Bus a.b.Get: ETIMEDOUT"],
  [
    "goes on with garbage",
    [OK, garbage],
    false,
    "D-Bus a.b.Get: EBADMSG (bad message) (of a message that was received",
  ],
  [
    "announces too much",
    [OK, huge],
    false,
    "D-Bus a.b.Get: EBADMSG (bad message) (of a message that was received: it says",
  ],
  ["answers another call", [OK, reply(2)], false, "it answers a call 2 that was not made"],
  ["refuses another call", [OK, refusal(9, "a.b")], false, "it answers a call 9 that was not made"],
  ["answers with something else", [OK, reply(1, "u", [1])], false, "it brings u, not s"],
  ["answers with nothing", [OK, reply(1)], false, "it brings nothing, not s"],
];
for (const [title, said, hangsUp, error] of unruly)
  dbus(`a peer that ${title}: one clear error`, () => {
    const start = monotonicNow();
    const use = (bus: Bus) => {
      assert.throws(() => bus.call(method, "", [], "s"), saying(error));
      // The connection is at its end.
      assert.throws(() => bus.call(method, "", [], "s"), saying(error));
      assert.throws(() => bus.waitForSignal(waited, "", 1000, () => true), /^D-Bus a\.b\.Done: E/);
    };
    const atOnce = error.startsWith("connect") || said[0] !== OK;
    const act = () => withBus(said, use, { timeoutMs: 30, ends: hangsUp });
    if (atOnce) assert.throws(act, saying(error));
    else act();
    assert.ok(monotonicNow() - start < 1_000_000_000n);
  });

dbus("a peer that does not read: the call ends as well", () =>
  withBus(
    [OK],
    (bus) =>
      assert.throws(
        () => bus.call(method, "s", ["x".repeat(4 << 20)], ""),
        saying("D-Bus a.b.Get: ETIMEDOUT"),
      ),
    { timeoutMs: 30 },
  ),
);

dbus("what cannot be sent is not sent, and the connection goes on", () =>
  withBus([OK, reply(1, "u", [1])], (bus) => {
    assert.throws(() => bus.call(method, "s", ["a\0b"], ""), saying("NUL"));
    assert.throws(() => bus.call({ ...method, path: "a" }, "", [], ""), saying("not a D-Bus object path"));
    assert.equal(bus.call(method, "", [], "u"), [1]);
  }),
);

dbus("who owns a name is known by the broker, and who is at the other end by the socket", () => {
  withBus([OK], (bus) => assert.is(bus.ownerUid("a.b"), geteuid()));
  withBus(
    [OK, reply(1, "s", [":1.7"]), reply(2, "u", [1234])],
    (bus) => assert.is(bus.ownerUid("a.b"), 1234),
    {
      peer: "broker",
    },
  );
});

dbus("each call is a line of the trace", () =>
  withBus([OK, reply(1), refusal(2, "a.Odd")], (bus) => {
    const [reader, writer] = pipe();
    setTrace(writer);
    try {
      bus.call(method, "us", [1, "x.scope"], "");
      bus.call(method, "", [], "");
    } finally {
      setTrace(undefined);
    }
    const buffer = new Uint8Array(8192);
    const lines = decodeUtf8(buffer.subarray(0, tryRead(reader, buffer)));
    assert.match(lines, /dbus_call\("Get", "x\.scope"\) = 0 </);
    assert.match(lines, /dbus_call\("Get"\) = -1 EIO </);
    assert.match(lines, /sendto\(/);
    for (const fd of [reader, writer]) close(fd);
  }),
);

/** A listener with an abstract name and room for one. */
function listen(name: string): Fd {
  const listener = call("socket", [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], "") as Fd;
  const address = new Struct(3 + name.length).u16(0, AF_UNIX);
  address.bytes.set(encodeUtf8(name), 3);
  call("bind", [listener, address.bytes, address.bytes.length], name);
  call("listen", [listener, 0], name);
  return listener;
}

dbus("a queue that is full is EAGAIN, whatever comes of the other addresses", () => {
  const name = `runt-test-${getpid()}`;
  const listener = listen(name);
  const first = connectUnixName(encodeUtf8(`\0${name}`), "", "connect");
  const list = `tcp:host=x;unix:path=/nowhere;unix:abstract=${name}`;
  assert.throws(
    () => connectBus(list, "broker"),
    (error: unknown) => isErrno(error, "EAGAIN"),
  );
  for (const fd of [first, listener]) close(fd);
});

dbus("where nobody listens, or where we cannot look", () => {
  const refused = (addresses: string, error: string) =>
    assert.throws(() => connectBus(addresses, "direct"), saying(error));
  refused("unix:path=/nowhere;unix:abstract=nobody", "connect to D-Bus unix:path=/nowhere: ENOENT");
  refused("unix:abstract=nobody", "connect to D-Bus unix:abstract=nobody: ECONNREFUSED");
  refused("tcp:host=x", 'EPROTONOSUPPORT (protocol not supported) (the transport "tcp" is not supported');
  refused("", "connect to D-Bus: EINVAL (invalid argument) (there is no address)");
});

dbus.run();
