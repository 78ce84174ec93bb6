import { suite } from "uvu";
import * as assert from "uvu/assert";
import { S_IFREG } from "../../syscalls/constants/stat.ts";
import { getpid } from "../../syscalls/process.ts";
import { isType } from "../../syscalls/stat.ts";
import {
  join,
  linkStatOf,
  makeDirectory,
  makeLink,
  makeTemporary,
  namesIn,
  readText,
  removeTree,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { writePidFile } from "./pid_file.ts";

const pidFile = suite("writePidFile");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("pid-file-");
  try {
    body(dir);
  } finally {
    removeTree(dir);
  }
}

const write = (path: string): void => writePidFile(path as HostPath, 4711 as Pid);

pidFile("the number alone, and nothing beside it", () => {
  inDirectory((dir) => {
    write(join(dir, "a.pid"));
    assert.is(readText(join(dir, "a.pid")), "4711");
    assert.equal(namesIn(dir), ["a.pid"]);
  });
});

pidFile("replaces a file and a link, and follows none", () => {
  inDirectory((dir) => {
    writeFile(join(dir, "canary"), "untouched");
    makeLink("canary", join(dir, "link"));
    for (const name of ["link", "link"]) write(join(dir, name));
    assert.is(readText(join(dir, "canary")), "untouched");
    assert.ok(isType(linkStatOf(join(dir, "link")), S_IFREG));
  });
});

pidFile("a link in the place of the temporary file is replaced, not a way out", () => {
  inDirectory((dir) => {
    writeFile(join(dir, "canary"), "untouched");
    makeLink("canary", join(dir, `.a.${getpid()}`));
    write(join(dir, "a"));
    assert.is(readText(join(dir, "canary")), "untouched");
    assert.equal(namesIn(dir), ["a", "canary"]);
  });
});

pidFile("a directory in its place, or none to write to", () => {
  inDirectory((dir) => {
    makeDirectory(join(dir, "a"));
    assert.throws(() => write(join(dir, "a")), /^rename .*EISDIR/);
    assert.equal(namesIn(dir), ["a"]);
    assert.throws(() => write(join(dir, "none/a")), /^open .*ENOENT/);
  });
});

pidFile.run();
