import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  alignmentOf,
  isInterfaceName,
  isMemberName,
  isObjectPath,
  isSignature,
  typesOf,
} from "./dbus_value.ts";
import { saying } from "./testing/saying.ts";

const values = suite("D-Bus types");

values("a signature is a row of complete types", () => {
  assert.equal(typesOf(""), []);
  assert.equal(typesOf("ssa(sv)a(sa(sv))"), ["s", "s", "a(sv)", "a(sa(sv))"]);
  assert.equal(typesOf("a{sv}aayt"), ["a{sv}", "aay", "t"]);
});

for (const bad of [
  "a",
  "(s",
  "{s",
  "z",
  "s)",
  "()",
  "{ss}",
  "a{s}",
  "a{sss}",
  "a{vs}",
  "a{(s)s}",
  "(s}",
  "\0",
])
  values(`"${bad}" is none`, () => {
    assert.throws(() => typesOf(bad), saying("not a D-Bus signature"));
    assert.not(isSignature(bad));
  });

values("arrays and structures are at most 32 deep, and a signature has at most 255 types", () => {
  assert.ok(isSignature(`${"a".repeat(32)}s`));
  assert.not(isSignature(`${"a".repeat(33)}s`));
  assert.ok(isSignature(`${"(".repeat(32)}s${")".repeat(32)}`));
  assert.not(isSignature(`${"(".repeat(33)}s${")".repeat(33)}`));
  assert.ok(isSignature(`${"a(".repeat(32)}s${")".repeat(32)}`));
  assert.ok(isSignature("s".repeat(255)));
  assert.not(isSignature("s".repeat(256)));
});

values("alignments", () => {
  const sizes = [..."ygv", ..."nq", ..."biuhsoa", ..."xtd({"].map(alignmentOf);
  assert.equal(sizes, [1, 1, 1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8]);
});

values("names", () => {
  for (const path of ["/", "/a", "/org/freedesktop/systemd1/job/12", "/_"])
    assert.ok(isObjectPath(path), path);
  for (const path of ["", "a", "//", "/a/", "/a//b", "/a-b", "/é", "/a\n"])
    assert.not(isObjectPath(path), path);
  assert.ok(isInterfaceName("org.freedesktop.DBus"));
  for (const name of ["", "org", "org.", ".org", "org.1", "a.b-c", `a.${"b".repeat(254)}`])
    assert.not(isInterfaceName(name), name);
  assert.ok(isMemberName("Get_1"));
  for (const name of ["", "1", "a.b", "a".repeat(256)]) assert.not(isMemberName(name), name);
});

values.run();
