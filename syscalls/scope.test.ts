import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_GETFD, O_PATH } from "./constants/fcntl.ts";
import { pipe, tryFcntl } from "./descriptor.ts";
import { CWD, close, openat } from "./open.ts";
import { checked, closing, Owner, scope } from "./scope.ts";
import { saying } from "./testing/saying.ts";
import type { Fd } from "./types.ts";

const scopes = suite("scope");

const open = (): Fd => openat(CWD, "/", O_PATH);
const isOpen = (fd: Fd): boolean => tryFcntl(fd, F_GETFD) >= 0;

scopes("closing: at the end, and after an error, which goes on", () => {
  const fd = closing(open(), (fd) => {
    assert.ok(isOpen(fd));
    return fd;
  });
  assert.not(isOpen(fd));
  const other = open();
  assert.throws(
    () =>
      closing(other, () => {
        throw new Error("in the middle");
      }),
    saying("in the middle"),
  );
  assert.not(isOpen(other));
});

scopes("checked: what passes is given on, open; what does not is closed", () => {
  const good = checked(open(), () => {});
  assert.ok(isOpen(good));
  close(good);
  const bad = open();
  assert.throws(
    () =>
      checked(bad, () => {
        throw new Error("not this one");
      }),
    saying("not this one"),
  );
  assert.not(isOpen(bad));
});

scopes("scope: all that was owned, but what was handed on", () => {
  const { first, second, reader, writer } = scope((owner) => {
    const [first, second] = [owner.own(open()), owner.own(open())];
    const [reader, writer] = owner.ownBoth(pipe());
    owner.closeNow(reader);
    assert.not(isOpen(reader));
    assert.ok(isOpen(first) && isOpen(writer));
    return { first, second: owner.handOn(second), reader, writer };
  });
  assert.equal([first, second, reader, writer].map(isOpen), [false, true, false, false]);
  close(second);
});

scopes("scope: after an error, what was opened until then", () => {
  let fd: Fd | undefined;
  assert.throws(
    () =>
      scope((owner) => {
        fd = owner.own(open());
        owner.own(openat(CWD, "/none", O_PATH));
      }),
    saying("ENOENT"),
  );
  assert.ok(fd !== undefined && !isOpen(fd));
});

scopes("what was closed is not closed again, as its number may be another's", () => {
  const owner = new Owner();
  const fd = owner.own(open());
  owner.closeNow(fd);
  const again = open();
  assert.is(again, fd);
  owner.close();
  assert.ok(isOpen(again));
  close(again);
});

scopes.run();
