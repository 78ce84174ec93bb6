import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { writePidFile } from "./pid_file.ts";

const pidFile = suite("writePidFile");

function inDirectory(body: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), "pid-file-"));
  try {
    body(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const write = (path: string): void => writePidFile(path as HostPath, 4711 as Pid);

pidFile("the number alone, and nothing beside it", () => {
  inDirectory((dir) => {
    write(join(dir, "a.pid"));
    assert.is(readFileSync(join(dir, "a.pid"), "utf8"), "4711");
    assert.equal(readdirSync(dir), ["a.pid"]);
  });
});

pidFile("replaces a file and a link, and follows none", () => {
  inDirectory((dir) => {
    writeFileSync(join(dir, "canary"), "untouched");
    symlinkSync("canary", join(dir, "link"));
    for (const name of ["link", "link"]) write(join(dir, name));
    assert.is(readFileSync(join(dir, "canary"), "utf8"), "untouched");
    assert.ok(lstatSync(join(dir, "link")).isFile());
  });
});

pidFile("a link in the place of the temporary file is an error, not a way out", () => {
  inDirectory((dir) => {
    writeFileSync(join(dir, "canary"), "untouched");
    symlinkSync("canary", join(dir, `.a.${process.pid}`));
    assert.throws(() => write(join(dir, "a")), /EEXIST/);
    assert.is(readFileSync(join(dir, "canary"), "utf8"), "untouched");
  });
});

pidFile("a directory in its place, or none to write to", () => {
  inDirectory((dir) => {
    mkdirSync(join(dir, "a"));
    assert.throws(() => write(join(dir, "a")), /^rename .*EISDIR/);
    assert.equal(readdirSync(dir), ["a"]);
    assert.throws(() => write(join(dir, "none/a")), /^open .*ENOENT/);
  });
});

pidFile.run();
