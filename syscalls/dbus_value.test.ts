import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type DbusData, type DbusSink, typesOf, writeDbusValues } from "./dbus_value.ts";

const values = suite("D-Bus values");

/** What is written, as text. */
function written(signature: string, args: readonly DbusData[]): string {
  let text = "";
  const sink: DbusSink = {
    basic: (type, value) => {
      text += `${type}:${value} `;
    },
    open: (type, contents) => {
      text += `<${type} ${contents}> `;
    },
    close: () => {
      text += "</> ";
    },
  };
  writeDbusValues(sink, signature, args);
  return text.trimEnd();
}

values("a signature is a row of complete types", () => {
  assert.equal(typesOf(""), []);
  assert.equal(typesOf("ssa(sv)a(sa(sv))"), ["s", "s", "a(sv)", "a(sa(sv))"]);
  assert.equal(typesOf("a{sv}aayt"), ["a{sv}", "aay", "t"]);
  for (const bad of ["a", "(s", "{s", "z", "s)"]) assert.throws(() => typesOf(bad), "not a D-Bus signature");
});

values("basic values are written as they are", () =>
  assert.is(written("sbt", ["x", true, 18446744073709551615n]), "s:x b:true t:18446744073709551615"),
);

values("properties are structures of a name and a variant", () => {
  const properties = [
    ["PIDs", { signature: "au", value: [1, 2] }],
    ["DeviceAllow", { signature: "a(ss)", value: [["/dev/null", "rw"]] }],
  ];
  assert.is(
    written("a(sv)", [properties]),
    "<a (sv)> <r sv> s:PIDs <v au> <a u> u:1 u:2 </> </> </> " +
      "<r sv> s:DeviceAllow <v a(ss)> <a (ss)> <r ss> s:/dev/null s:rw </> </> </> </> </>",
  );
});

values("empty arrays keep their type", () =>
  assert.is(written("a(sv)as", [[], []]), "<a (sv)> </> <a s> </>"),
);

values("a wrong number of values is a mistake here, not in the message", () =>
  assert.throws(() => written("ss", ["one"]), "2 values, not 1"),
);

values.run();
