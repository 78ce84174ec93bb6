import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_RDONLY } from "./constants/fcntl.ts";
import { CWD, close, tryOpenat } from "./open.ts";
import { type Failure, type Fd, failed, minus } from "./types.ts";

const types = suite("types");

types("a descriptor or an errno: nothing but asking which tells the type checker", () => {
  const there = tryOpenat(CWD, "/", O_RDONLY);
  const missing = tryOpenat(CWD, "/none", O_RDONLY);
  // @ts-expect-error: it may be an errno
  const unasked: Fd = there;
  assert.is(unasked, there);
  if (failed(there)) throw new Error("/ cannot be opened");
  close(there);
  assert.ok(failed(missing));
  const errno: Failure = missing as Failure;
  // @ts-expect-error: an errno is no descriptor
  assert.is(tryClose(errno), -2);
  // @ts-expect-error: nor is a number
  assert.is(tryClose(-2), -2);
  assert.is(minus(2), missing);
});

/** As close(2) is declared, without its effect. */
const tryClose = (fd: Fd): number => fd;

types.run();
