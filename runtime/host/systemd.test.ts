import { suite } from "uvu";
import * as assert from "uvu/assert";
import { join, makeTemporary, removeTree, writeFile } from "../../syscalls/testing/files.ts";
import { userBus } from "./systemd.ts";

const place = suite("the session's message bus");

place("its address is what the environment says", () => {
  const address = "unix:abstract=/tmp/dbus-x,guid=1";
  assert.is(userBus({ DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: "/nowhere" }), address);
});

place("or a socket in the runtime directory, escaped", () => {
  const directory = makeTemporary("a b,=é-");
  try {
    assert.is(userBus({ XDG_RUNTIME_DIR: directory }), undefined);
    writeFile(join(directory, "bus"), "");
    const expected = directory.replace("a b,=é-", "a%20b%2c%3d%c3%a9-");
    assert.is(
      userBus({ XDG_RUNTIME_DIR: directory })?.toLowerCase(),
      `unix:path=${expected}/bus`.toLowerCase(),
    );
  } finally {
    removeTree(directory);
  }
});

place("none without either", () => {
  assert.is(userBus({}), undefined);
  assert.is(userBus({ DBUS_SESSION_BUS_ADDRESS: "", XDG_RUNTIME_DIR: "" }), undefined);
});

place.run();
