import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "./constants/fcntl.ts";
import { S_IFCHR, S_IFDIR } from "./constants/stat.ts";
import { readlinkat, tryReadlinkat } from "./directory.ts";
import { CWD, close, openat, tryOpenat } from "./open.ts";
import { fstat, isType, statx, tryStatx } from "./stat.ts";
import { join, makeLink, makeTemporary, removeTree } from "./testing/files.ts";

const files = suite("stat");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("stat-test-");
  try {
    body(dir);
  } finally {
    removeTree(dir);
  }
}

files("statx of the null device, of a link, of nothing", () => {
  inDirectory((dir) => {
    makeLink("/dev/null", join(dir, "link"));
    const device = statx(CWD, join(dir, "link"), 0);
    assert.ok(isType(device, S_IFCHR));
    assert.equal([device.rdevMajor, device.rdevMinor], [1, 3]);
    assert.is(readlinkat(CWD, join(dir, "link")), "/dev/null");
    assert.is(tryStatx(CWD, join(dir, "none"), 0), -2);
    assert.is(tryReadlinkat(CWD, join(dir, "none")), undefined);
    assert.is(tryOpenat(CWD, join(dir, "none"), O_RDONLY), -2);
    const fd = openat(CWD, dir, O_RDONLY | O_DIRECTORY);
    assert.ok(isType(fstat(fd), S_IFDIR));
    close(fd);
  });
});

files.run();
