import { suite } from "uvu";
import * as assert from "uvu/assert";
import { userOf } from "./passwd.ts";

const passwd = suite("passwd");

passwd("the first line with the uid counts, and none that is cut short", () => {
  const text = "root:x:0:0:root:/root:/bin/sh\nshort:x:7\none:x:7:7::/home/one\ntwo:x:7:7::/home/two:\n";
  assert.equal(userOf(0, text), { name: "root", home: "/root" });
  assert.equal(userOf(7, text), { name: "one", home: "/home/one" });
  assert.is(userOf(70, text), undefined);
});

passwd.run();
