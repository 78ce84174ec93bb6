import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../syscalls/testing/saying.ts";
import { requireValidId } from "./container_id.ts";

const ids = suite("requireValidId");

for (const id of ["a", "A-b_c+d.1", "0", "-x", "a..b", "_", "+", "x".repeat(255), ".hidden", "..."])
  ids(`accepts ${id.slice(0, 20)}`, () => requireValidId(id));

for (const id of [
  ".",
  "..",
  ".seccomp-cache",
  "../x",
  "a/b",
  "/",
  "a b",
  "a;b",
  "a\nb",
  "a\n",
  "a\0b",
  "é",
  "%2e%2e",
  "a:b",
  "a@b",
])
  ids(`refuses ${JSON.stringify(id).slice(0, 20)}`, () => {
    assert.throws(
      () => requireValidId(id),
      (error: Error) =>
        error.message === "invalid container ID format (letters, digits and _ + - . are accepted)",
    );
  });

ids("refuses an empty one in other words", () => {
  assert.throws(() => requireValidId(""), saying("container id cannot be empty"));
});

ids.run();
