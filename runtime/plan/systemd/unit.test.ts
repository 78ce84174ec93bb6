import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../../syscalls/testing/saying.ts";
import { expandSlice, planUnit } from "./unit.ts";

const unit = suite("planUnit");

const place = (path: string | undefined, user = false) => {
  const { kind, name, slice, path: cgroup } = planUnit(path, "one", user);
  return `${kind} ${name} ${slice} ${cgroup}`;
};

unit("SLICE:PREFIX:NAME is a scope in the slice", () => {
  const expected = "scope docker-x.scope machine.slice /machine.slice/docker-x.scope";
  assert.is(place("machine.slice:docker:x"), expected);
});

unit("without a path it is runc-ID, and without a slice the system's or the user's", () => {
  assert.is(place(undefined), "scope runc-one.scope system.slice /system.slice/runc-one.scope");
  assert.is(place(""), "scope runc-one.scope system.slice /system.slice/runc-one.scope");
  assert.is(place(undefined, true), "scope runc-one.scope user.slice /user.slice/runc-one.scope");
  assert.is(place(":p:n", true), "scope p-n.scope user.slice /user.slice/p-n.scope");
});

unit("a name that is a slice makes a slice, which lies where its name says", () => {
  assert.is(place("a.slice:p:b-c.slice"), "slice b-c.slice a.slice /b.slice/b-c.slice");
});

unit("the dashes of a slice are its place", () => {
  assert.is(expandSlice("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  assert.is(expandSlice("-.slice"), "/");
  assert.is(place("-.slice:a:b"), "scope a-b.scope -.slice /a-b.scope");
});

unit("what could be a file of the kernel's is escaped in the cgroup's name", () => {
  assert.is(place(":_p:n"), "scope _p-n.scope system.slice /system.slice/__p-n.scope");
  assert.is(place(":cpu.x:n"), "scope cpu.x-n.scope system.slice /system.slice/_cpu.x-n.scope");
  assert.is(place(":cpux:n"), "scope cpux-n.scope system.slice /system.slice/cpux-n.scope");
});

unit("a path of the other driver is refused in runc's words", () => {
  for (const path of ["/a/b", "a:b", "a:b:c:d"])
    assert.throws(
      () => planUnit(path, "one", false),
      saying(
        `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${path}" instead`,
      ),
    );
});

unit("bad slices", () => {
  for (const slice of ["a", "-", ".slice", "a--b.slice", "-a.slice", "a-.slice", "a/b.slice", "é.slice"])
    assert.throws(() => planUnit(`${slice}:p:n`, "one", false), saying(`invalid slice name: ${slice}`));
});

unit("a name that would lead out of the slice, or that systemd would not take, is refused", () => {
  for (const name of ["a/b", "../../x", "a b", "é", "a\nb", "x".repeat(300)])
    assert.throws(
      () => planUnit(`a.slice:p:${name}`, "one", false),
      saying("not a valid name of a systemd unit"),
    );
  assert.throws(() => planUnit(":../..:n", "one", false), saying("not a valid name of a systemd unit"));
});

unit.run();
