import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressesIn, socketName } from "./dbus_address.ts";
import { DbusTransportError } from "./dbus_transport_error.ts";
import { decodeUtf8 } from "./utf8.ts";

const addresses = suite("D-Bus addresses");

addresses("a list", () => {
  assert.equal(addressesIn("unix:path=/a;tcp:host=x;"), ["unix:path=/a", "tcp:host=x"]);
  assert.equal(addressesIn(""), []);
});

for (const [address, name] of [
  ["unix:path=/run/user/1000/bus", "/run/user/1000/bus"],
  ["unix:path=/a,guid=0123456789abcdef0123456789abcdef", "/a"],
  ["unix:guid=1,abstract=/tmp/dbus-x", "\0/tmp/dbus-x"],
  ["unix:path=/a%20b%2C%3b%C3%A9", "/a b,;é"],
  ["unix:path=/a b=é", "/a b=é"],
  ["unix:abstract=a%00b", "\0a\0b"],
] as const)
  addresses(address, () => assert.is(decodeUtf8(socketName(address)), name));

addresses("bytes that are no UTF-8 stay what they are", () =>
  assert.equal([...socketName("unix:path=/%ff%80")], [0x2f, 0xff, 0x80]),
);

addresses("a path may have 107 bytes", () => {
  assert.is(socketName(`unix:path=/${"a".repeat(106)}`).length, 107);
  assert.is(socketName(`unix:abstract=${"a".repeat(107)}`).length, 108);
});

for (const [address, errno, said] of [
  ["/run/bus", 22, "not an address"],
  ["tcp:host=localhost,port=1", 93, 'the transport "tcp" is not supported'],
  ["unixexec:path=/bin/true", 93, '"unixexec"'],
  ["autolaunch:", 93, '"autolaunch"'],
  ["unix:", 22, "either path or abstract"],
  ["unix:tmpdir=/tmp", 22, "either path or abstract"],
  ["unix:path=/a,abstract=b", 22, "either path or abstract"],
  ["unix:path=/a,path=/b", 22, "one twice"],
  ["unix:path", 22, "no key"],
  ["unix:=/a", 22, "no key"],
  ["unix:path=", 22, "no path"],
  ["unix:path=/a%00", 22, "no path"],
  ["unix:path=/a%2", 22, "two hexadecimal digits"],
  ["unix:path=/a%zz", 22, "two hexadecimal digits"],
  [`unix:path=/${"a".repeat(107)}`, 36, "107 bytes"],
  [`unix:abstract=${"é".repeat(54)}`, 36, "107 bytes"],
] as const)
  addresses(`${address.slice(0, 40)} is refused`, () =>
    assert.throws(
      () => socketName(address),
      (error: unknown) =>
        error instanceof DbusTransportError && error.errno === errno && error.message.includes(said),
    ),
  );

addresses.run();
