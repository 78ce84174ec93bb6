import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  decodeMessage,
  ERROR_NAME,
  encodeCall,
  FIXED_HEADER,
  INTERFACE,
  MEMBER,
  METHOD_CALL,
  METHOD_RETURN,
  messageSize,
  PATH,
  REPLY_SERIAL,
  SENDER,
  SIGNAL,
} from "./dbus_message.ts";
import { DbusTransportError } from "./dbus_transport_error.ts";
import { DbusWriter } from "./dbus_writer.ts";
import { saying } from "./testing/saying.ts";

const messages = suite("D-Bus messages");

const hello = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "Hello",
};

messages("a call, byte for byte", () => {
  const text = String.fromCharCode(...encodeCall(1, hello, "", []));
  const field = (code: string, type: string, value: string) =>
    `${code}\x01${type}\0${String.fromCharCode(value.length)}\0\0\0${value}\0`;
  const expected = [
    "l\x01\0\x01\0\0\0\0\x01\0\0\0\x6d\0\0\0",
    `${field("\x01", "o", hello.path)}\0\0`,
    `${field("\x02", "s", hello.interface)}\0\0\0`,
    `${field("\x03", "s", "Hello")}\0\0`,
    `${field("\x06", "s", hello.destination)}\0\0\0`,
  ];
  assert.is(text, expected.join(""));
});

messages("a call is read as it was written", () => {
  const bytes = encodeCall(7, { ...hello, member: "AddMatch" }, "sau", ["x", [1, 2]]);
  assert.is(messageSize(bytes.subarray(0, FIXED_HEADER)), bytes.length);
  const { type, serial, fields, body } = decodeMessage(bytes);
  assert.equal([type, serial], [METHOD_CALL, 7]);
  assert.equal(
    [PATH, INTERFACE, MEMBER].map((field) => fields.get(field)),
    [hello.path, hello.interface, "AddMatch"],
  );
  assert.equal(body("sau"), ["x", [1, 2]]);
  assert.equal(body("s"), ["x"]);
  assert.equal(body(""), []);
  assert.throws(() => body("u"), saying("it brings sau, not u"));
  assert.throws(() => body("saus"), saying("it brings sau, not saus"));
});

messages("a message in the other byte order", () => {
  const bytes = Uint8Array.from([
    ...[0x42, 2, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 15], // "B", a return of four bytes, serial 9
    ...[5, 1, 0x75, 0, 0, 0, 0, 3], // the answer to 3
    ...[8, 1, 0x67, 0, 1, 0x75, 0, 0], // "u", and the padding of the header
    ...[0, 0, 1, 2],
  ]);
  assert.is(messageSize(bytes.subarray(0, FIXED_HEADER)), bytes.length);
  const { type, serial, fields, body } = decodeMessage(bytes);
  assert.equal([type, serial, fields.get(REPLY_SERIAL), body("u")[0]], [METHOD_RETURN, 9, 3, 258]);
});

/** A header of these fields, without a body. */
function header(type: number, fields: readonly (readonly [number, string, string | number])[]): Uint8Array {
  const writer = new DbusWriter();
  const variants = fields.map(([field, signature, value]) => [field, { signature, value }]);
  writer.values("yyyyuua(yv)", [0x6c, type, 0, 1, 0, 1, variants]);
  writer.pad(8);
  return writer.bytes;
}

messages("what is new in the protocol is ignored", () => {
  assert.is(decodeMessage(header(200, [])).type, 200);
  const { fields } = decodeMessage(
    header(SIGNAL, [
      [1, "o", "/"],
      [2, "s", "a.b"],
      [3, "s", "C"],
      [77, "s", "x"],
    ]),
  );
  assert.is(fields.get(77), "x");
});

const badHeaders: readonly (readonly [why: string, bytes: Uint8Array])[] = [
  ["no field 5", header(METHOD_RETURN, [])],
  ["no field 4", header(3, [[REPLY_SERIAL, "u", 1]])],
  [
    "no field 1",
    header(SIGNAL, [
      [INTERFACE, "s", "a.b"],
      [MEMBER, "s", "C"],
    ]),
  ],
  [
    "no field 2",
    header(SIGNAL, [
      [PATH, "o", "/"],
      [MEMBER, "s", "C"],
    ]),
  ],
  ["no field 3", header(METHOD_CALL, [[PATH, "o", "/"]])],
  ["field 5 of its header is of another type", header(METHOD_RETURN, [[REPLY_SERIAL, "s", "1"]])],
  ["field 7 of its header is of another type", header(SIGNAL, [[SENDER, "u", 1]])],
  ["the answer to a call 0", header(METHOD_RETURN, [[REPLY_SERIAL, "u", 0]])],
  ["field 0", header(SIGNAL, [[0, "s", "x"]])],
  [
    "has it twice",
    header(METHOD_RETURN, [
      [REPLY_SERIAL, "u", 1],
      [REPLY_SERIAL, "u", 2],
    ]),
  ],
  [
    "field 4 of its header is not a name",
    header(3, [
      [ERROR_NAME, "s", "x"],
      [REPLY_SERIAL, "u", 1],
    ]),
  ],
  [
    "field 3 of its header is not a name",
    header(METHOD_CALL, [
      [PATH, "o", "/"],
      [MEMBER, "s", "a b"],
    ]),
  ],
];
for (const [why, bytes] of badHeaders)
  messages(`refused: ${why}`, () =>
    assert.throws(
      () => decodeMessage(bytes),
      (error: unknown) => error instanceof DbusTransportError && error.message.includes(why),
    ),
  );

messages("a body without a signature", () => {
  const bytes = Uint8Array.from([...header(METHOD_RETURN, [[REPLY_SERIAL, "u", 1]]), 1, 2, 3, 4]);
  assert.throws(() => decodeMessage(bytes), saying("a body without a signature"));
});

/** The beginning of a good message, with one byte or four changed. */
function start(at: number, ...changed: readonly number[]): Uint8Array {
  const bytes = encodeCall(1, hello, "", []).slice(0, FIXED_HEADER);
  bytes.set(changed, at);
  return bytes;
}

const badStarts: readonly (readonly [why: string, bytes: Uint8Array])[] = [
  ["neither of the two byte orders", start(0, 0x48)],
  ["it has no type", start(1, 0)],
  ["version 2", start(3, 2)],
  ["its serial is 0", start(8, 0, 0, 0, 0)],
  ["bytes", start(4, 0, 0, 0, 8)],
  ["bytes", start(4, 255, 255, 255, 255)],
  ["bytes", start(12, 255, 255, 255, 255)],
  ["bytes", start(12, 1, 0, 0, 4)],
];
for (const [why, bytes] of badStarts)
  messages(`refused at once: ${why} (${[...bytes].join(" ")})`, () =>
    assert.throws(
      () => messageSize(bytes),
      (error: unknown) => error instanceof DbusTransportError && error.message.includes(why),
    ),
  );

messages("bytes changed at random are a message or a DbusTransportError", () => {
  const good = encodeCall(3, hello, "sa{sv}(tb)", [
    "text",
    [["key", { signature: "as", value: ["a", "b"] }]],
    [5n, true],
  ]);
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let i = 0; i < 3000; i++) {
    const bytes = good.slice();
    for (let n = random(4); n >= 0; n--) bytes[random(bytes.length)] = random(256);
    try {
      const size = messageSize(bytes.subarray(0, FIXED_HEADER));
      if (size <= bytes.length) decodeMessage(bytes.slice(0, size)).body("sa{sv}(tb)");
    } catch (error) {
      assert.ok(error instanceof DbusTransportError, `${error} of ${bytes}`);
    }
  }
});

messages.run();
