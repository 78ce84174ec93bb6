import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../../syscalls/constants/fcntl.ts";
import { tryMkdirat, trySymlinkat } from "../../syscalls/directory.ts";
import { writeTextAt } from "../../syscalls/io.ts";
import { CWD, close, openat, tryOpenat2 } from "../../syscalls/open.ts";
import { fstat } from "../../syscalls/stat.ts";
import { makeTemporary, removeTree } from "../../syscalls/testing/files.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { walk } from "./resolve.ts";

const resolving = suite("resolve: the walk by descriptors finds what openat2 finds");

const tree = ["a", "a/b", "a/b/c", "d", "d/e"];
const files = ["a/file", "a/b/c/file", "d/e/file"];
const links: readonly (readonly [path: string, target: string])[] = [
  ["up", ".."],
  ["a/up", "../../../.."],
  ["a/b/absolute", "/d/e"],
  ["a/b/relative", "../../d"],
  ["d/loop", "loop"],
  ["d/e/round", "../../a/b/relative/e/round"],
  ["a/dangling", "nowhere/at/all"],
  ["a/tofile", "b/c/file"],
  ["d/slash", "e/"],
  ["d/dots", "./e/../e/./file"],
  ["self", "/proc/self"],
];
const paths = [
  ...[
    ".",
    "",
    "a",
    "a/",
    "a/.",
    "a//b",
    "a/..",
    "../a",
    "..",
    "../..",
    "/a",
    "/",
    "a/file",
    "a/file/",
    "a/file/..",
  ],
  ...[
    "a/b/c/file",
    "a/b/c/../../file",
    "nothing",
    "a/nothing",
    "nothing/..",
    "a/file/x",
    "up",
    "up/a",
    "a/up/d/e",
  ],
  ...["a/b/absolute", "a/b/absolute/file", "a/b/absolute/..", "a/b/relative/e/file", "d/loop", "d/loop/x"],
  ...[
    "d/e/round",
    "a/dangling",
    "a/dangling/..",
    "a/tofile",
    "a/tofile/",
    "d/slash",
    "d/slash/file",
    "d/dots",
    "self",
  ],
];
const resolves: Readonly<Record<string, number>> = {
  "in root": RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  "in root, without links": RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
  beneath: RESOLVE_BENEATH | RESOLVE_NO_XDEV,
  "beneath, without links": RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
};
const flags: Readonly<Record<string, number>> = {
  O_PATH: O_PATH,
  "O_PATH | O_NOFOLLOW": O_PATH | O_NOFOLLOW,
  "O_PATH | O_DIRECTORY": O_PATH | O_DIRECTORY,
  O_RDONLY: O_RDONLY,
};

/** Which file it is, or minus errno. */
/** openat2(2), again while it says EAGAIN: somebody on this machine renames or mounts at the same time. */
function byKernel(...args: Parameters<typeof tryOpenat2>): ReturnType<typeof tryOpenat2> {
  for (;;) {
    const result = tryOpenat2(...args);
    if (result !== -11) return result;
  }
}

function outcome(fd: number): string {
  if (fd < 0) return String(fd);
  const { ino, devMajor, devMinor } = fstat(fd as Fd);
  close(fd as Fd);
  return `${devMajor}:${devMinor} ${ino}`;
}

function inTree(body: (root: Fd) => void): void {
  const directory = makeTemporary("resolve-");
  const root = openat(CWD, directory, O_PATH | O_DIRECTORY);
  try {
    for (const path of tree) tryMkdirat(root, path, 0o755);
    for (const path of files) writeTextAt(root, path, 0o101, path, 0o644);
    for (const [path, target] of links) trySymlinkat(target, root, path);
    body(root);
  } finally {
    close(root);
    removeTree(directory);
  }
}

for (const [title, resolve] of Object.entries(resolves))
  for (const [name, flag] of Object.entries(flags))
    resolving(`${title}, ${name}`, () => {
      inTree((root) => {
        for (const path of paths)
          assert.is(
            outcome(walk(root, path, flag, resolve)),
            outcome(byKernel(root, path, flag, resolve)),
            path,
          );
      });
    });

resolving("a magic link of procfs is refused, a plain one is not", () => {
  const proc = openat(CWD, "/proc", O_PATH | O_DIRECTORY);
  try {
    for (const path of [
      "self/exe",
      "self/fd/0",
      "self/cwd",
      "self/root",
      "self/ns/mnt",
      "thread-self",
      "mounts",
      "net",
    ]) {
      const how = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
      const expected = byKernel(proc, path, O_PATH, how);
      const found = walk(proc, path, O_PATH, how);
      assert.is(found < 0 ? found : 0, failed(expected) ? expected : 0, path);
      for (const fd of [expected, found]) if (fd >= 0) close(fd as Fd);
    }
    // A procfs is another file system.
    const root = openat(CWD, "/", O_PATH | O_DIRECTORY);
    assert.is(walk(root, "proc/version", O_PATH, RESOLVE_BENEATH | RESOLVE_NO_XDEV), -18);
    close(root);
  } finally {
    close(proc);
  }
});

resolving.run();
