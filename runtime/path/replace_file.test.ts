import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { readDirectory, trySymlinkat } from "../../syscalls/directory.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { statx } from "../../syscalls/stat.ts";
import { join, makeTemporary, readText, removeTree, writeFile } from "../../syscalls/testing/files.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { replaceFile } from "./replace_file.ts";

const replace = suite("replaceFile");

function inDirectory(body: (path: string, directory: Fd) => void): void {
  const path = makeTemporary("replace-");
  const directory = openat(CWD, path, O_RDONLY | O_DIRECTORY);
  try {
    body(path, directory);
  } finally {
    close(directory);
    removeTree(path);
  }
}

replace("a new file, of the mode that is given, and nothing beside it", () =>
  inDirectory((path, directory) => {
    replaceFile(directory, "a", encodeUtf8("one"), 0o600);
    replaceFile(directory, "a", encodeUtf8("two"), 0o600);
    assert.is(readText(join(path, "a")), "two");
    assert.is(statx(CWD, join(path, "a"), 0).mode & 0o777, 0o600);
    assert.equal(
      readDirectory(directory).map(({ name }) => name),
      ["a"],
    );
  }),
);

replace("a link in its place, or in that of the file beside it, is not followed", () =>
  inDirectory((path, directory) => {
    writeFile(join(path, "victim"), "untouched");
    trySymlinkat("victim", directory, "a");
    trySymlinkat("victim", directory, `.a.${getpid()}`);
    replaceFile(directory, "a", encodeUtf8("new"), 0o600);
    assert.is(readText(join(path, "victim")), "untouched");
    assert.is(readText(join(path, "a")), "new");
    assert.is(readDirectory(directory).length, 2);
  }),
);

replace("a failure leaves nothing behind", () =>
  inDirectory((_, directory) => {
    assert.throws(() => replaceFile(directory, "no/such", encodeUtf8("x"), 0o600), /ENOENT/);
    assert.is(readDirectory(directory).length, 0);
  }),
);

replace.run();
