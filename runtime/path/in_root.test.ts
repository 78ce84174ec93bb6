import { suite } from "uvu";
import * as assert from "uvu/assert";
import { monotonicNow } from "../../syscalls/clock.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { readlinkat } from "../../syscalls/directory.ts";
import { readTextAt, readToEnd } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { isType } from "../../syscalls/stat.ts";
import {
  exists,
  join,
  linkStatOf,
  makeDirectories,
  makeDirectory,
  makeLink,
  makeTemporary,
  namesIn,
  readText,
  removeTree,
  rename,
  writeFile,
} from "../../syscalls/testing/files.ts";
import { startForked } from "../../syscalls/testing/programs.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { decodeUtf8 } from "../../syscalls/utf8.ts";
import { RuntimeError } from "../errors.ts";
import { cleanPath } from "./clean_path.ts";
import { openInRoot, openOrCreateInRoot, tryOpenInRoot } from "./in_root.ts";

const paths = suite("in_root");

type Tree = { readonly top: string; readonly rootfs: string; readonly root: Fd };

/** An image with hostile links, and beside it what they are after. */
function inTree(body: (tree: Tree) => void): void {
  const top = makeTemporary("in-root-");
  const rootfs = join(top, "rootfs");
  for (const dir of ["etc", "a/b", "outside"]) makeDirectories(join(rootfs, dir));
  makeDirectory(join(top, "outside"));
  writeFile(join(top, "outside/secret"), "host");
  writeFile(join(rootfs, "etc/passwd"), "image");
  for (const [link, target] of [
    ["absolute", "/etc/passwd"],
    ["toroot", "/"],
    ["up", "../../../../../../.."],
    ["upfile", "../../../../../../../etc/passwd"],
    ["host", join(top, "outside")],
    ["a/relative", "../etc/passwd"],
    ["dangling", "/nowhere/at/all"],
    ["danglinghere", "nothing"],
    ["danglingup", "../../../nowhere/./at/../else"],
    ["danglinglink", "dir/danglingbelow"],
    ["a/b/danglingbelow", "../nothing"],
    ["endless1", "nothing/../endless2"],
    ["endless2", "nothing/../endless1"],
    ["loop1", "loop2"],
    ["loop2", "loop1"],
    ["self", "self"],
    ["magic", "/proc/self/root"],
    ["dir", "a/b"],
  ] as const)
    makeLink(target, join(rootfs, link));
  const root = openat(CWD, rootfs, O_PATH | O_DIRECTORY);
  try {
    body({ top, rootfs, root });
  } finally {
    close(root);
    removeTree(top);
  }
}

/** Where a descriptor is, below the root: "/" is the root itself. */
function place(tree: Tree, fd: Fd): string {
  const path = readlinkat(CWD, `/proc/self/fd/${fd}`);
  close(fd);
  assert.ok(path === tree.rootfs || path.startsWith(`${tree.rootfs}/`), `${path} is outside`);
  return path.slice(tree.rootfs.length) || "/";
}

for (const [path, expected] of [
  ["/a/./b/../c//", "a/c"],
  ["", ""],
  ["/", ""],
  ["../../etc", "etc"],
  ["/../a/../../b", "b"],
  ["a/...", "a/..."],
] as const)
  paths(`cleanPath ${JSON.stringify(path)}`, () => assert.is(cleanPath(path), expected));

for (const [path, expected] of [
  ["/etc/passwd", "/etc/passwd"],
  ["etc/passwd", "/etc/passwd"],
  ["absolute", "/etc/passwd"],
  ["a/relative", "/etc/passwd"],
  ["upfile", "/etc/passwd"],
  ["up", "/"],
  ["toroot", "/"],
  ["toroot/etc/passwd", "/etc/passwd"],
  ["../../../etc/passwd", "/etc/passwd"],
  ["dir", "/a/b"],
  ["dir/", "/a/b"],
  ["dir//", "/a/b"],
  ["/", "/"],
  ["", "/"],
  [".", "/"],
] as const)
  paths(`leads inside: ${JSON.stringify(path)}`, () => {
    inTree((tree) => assert.is(place(tree, openInRoot(tree.root, path, O_PATH, "follow-in-root")), expected));
  });

for (const [path, errno] of [
  ["host", 2], // the same path inside the image does not exist
  ["host/secret", 2],
  ["dangling", 2],
  ["danglinghere", 2],
  ["loop1", 40],
  ["self", 40],
  ["self/x", 40],
  ["etc/passwd/x", 20],
  ["none/x", 2],
  ["x".repeat(256), 36],
] as const)
  paths(`leads nowhere: ${path.slice(0, 20)}`, () => {
    inTree(({ root }) => assert.is(tryOpenInRoot(root, path, O_PATH, "follow-in-root"), -errno));
  });

for (const path of ["absolute", "up", "host", "toroot/etc", "dir", "loop1", "dangling", "a/relative"])
  paths(`refuse: ${path} is a violation, not a mere error`, () => {
    inTree(({ root }) => {
      assert.throws(
        () => openInRoot(root, path, O_PATH, "refuse"),
        (error: unknown) =>
          error instanceof RuntimeError &&
          error.kind === "safety" &&
          error.message.includes("leads through a symbolic link"),
      );
    });
  });

paths("refuse: a path without links is opened", () => {
  inTree((tree) => assert.is(place(tree, openInRoot(tree.root, "/a/b", O_PATH, "refuse")), "/a/b"));
});

paths("a magic link of /proc is never followed", () => {
  const proc = openat(CWD, "/proc", O_PATH | O_DIRECTORY);
  assert.is(tryOpenInRoot(proc, "self/root", O_PATH, "follow-in-root"), -40);
  assert.is(tryOpenInRoot(proc, `self/fd/${proc}`, O_PATH, "follow-in-root"), -40);
  close(proc);
});

for (const [path, kind, expected] of [
  ["/new", "directory", "/new"],
  ["/new/deep/er/", "directory", "/new/deep/er"],
  ["/new/file", "file", "/new/file"],
  ["dir/new", "directory", "/a/b/new"],
  ["up/new", "file", "/new"],
  ["toroot/etc/hosts", "file", "/etc/hosts"],
  ["absolute", "file", "/etc/passwd"],
  ["/../../a/new", "directory", "/a/new"],
  ["/etc", "directory", "/etc"],
  ["dangling", "file", "/nowhere/at/all"],
  ["dangling", "directory", "/nowhere/at/all"],
  ["dangling/new", "file", "/nowhere/at/all/new"],
  ["danglinghere", "file", "/nothing"],
  ["danglingup", "directory", "/nowhere/else"],
  ["danglinglink/new", "file", "/a/nothing/new"],
] as const)
  paths(`openOrCreate ${kind} ${path}`, () => {
    inTree((tree) => {
      assert.is(place(tree, openOrCreateInRoot(tree.root, path, kind, "follow-in-root")), expected);
      const made = linkStatOf(join(tree.rootfs, expected));
      assert.is(isType(made, S_IFDIR), kind === "directory");
      assert.equal(namesIn(join(tree.top, "outside")), ["secret"]);
    });
  });

paths("openOrCreate: what a link names on the host is made beneath the root", () => {
  inTree((tree) => {
    const expected = join(tree.top, "outside/new");
    assert.is(
      place(tree, openOrCreateInRoot(tree.root, "host/new", "directory", "follow-in-root")),
      expected,
    );
    assert.equal(namesIn(join(tree.top, "outside")), ["secret"]);
  });
});

paths("openOrCreate leaves the content of a file alone", () => {
  inTree(({ root, rootfs }) => {
    close(openOrCreateInRoot(root, "/etc/passwd", "file", "refuse"));
    assert.is(readText(join(rootfs, "etc/passwd")), "image");
  });
});

for (const [path, kind, message] of [
  ["endless1/new", "file", "ELOOP"],
  ["loop1", "file", "ELOOP"],
  ["loop1/new", "directory", "ELOOP"],
  ["etc", "file", "it is a directory, the source is none"],
  ["etc/passwd", "directory", "it is no directory, the source is one"],
  ["absolute", "directory", "it is no directory, the source is one"],
  ["etc/passwd/new", "file", "ENOTDIR"],
] as const)
  paths(`openOrCreate refuses ${kind} ${path}, and makes nothing outside`, () => {
    inTree(({ top, root, rootfs }) => {
      const before = namesIn(rootfs);
      assert.throws(
        () => openOrCreateInRoot(root, path, kind, "follow-in-root"),
        (error: Error) => error.message.includes(message),
      );
      assert.equal(namesIn(join(top, "outside")), ["secret"]);
      assert.not(exists("/nowhere"));
      assert.equal(namesIn(rootfs), before);
    });
  });

paths("openOrCreate with links refused: an existing link on the way is a violation", () => {
  inTree(({ root }) => {
    for (const path of ["dir/new", "up/new", "host/new", "absolute"])
      assert.throws(
        () => openOrCreateInRoot(root, path, "directory", "refuse"),
        /leads through a symbolic link/,
      );
  });
});

paths("a directory that turns into a link and back never leads out", () => {
  inTree((tree) => {
    const { top, rootfs, root } = tree;
    writeFile(join(rootfs, "outside/secret"), "image");
    makeLink(join(top, "outside"), join(rootfs, "swap"));
    const [a, b, c] = ["outside", "swap", "third"].map((name) => join(rootfs, name)) as [
      string,
      string,
      string,
    ];
    const racer = startForked(() => {
      const steps = [
        [a, c],
        [b, a],
        [a, b],
        [c, a],
      ] as const;
      for (;;)
        for (const [from, to] of steps)
          try {
            rename(from, to);
          } catch {}
    });
    const outcomes = new Set<string>();
    try {
      const end = monotonicNow() + 2_000_000_000n;
      for (let i = 0; i < 20_000 && monotonicNow() < end; i++) {
        const fd = tryOpenInRoot(root, "outside/../outside/secret", O_RDONLY, "follow-in-root");
        if (failed(fd)) {
          outcomes.add(String(fd));
          continue;
        }
        outcomes.add(decodeUtf8(readToEnd(fd)));
        close(fd);
        try {
          place(tree, openOrCreateInRoot(root, `outside/new${i}`, "file", "follow-in-root"));
        } catch {} // refused is fine; made outside is not, which `place` tells
      }
    } finally {
      racer.end();
    }
    assert.ok(outcomes.has("image"), [...outcomes].join());
    assert.not(outcomes.has("host"));
    assert.equal(namesIn(join(top, "outside")), ["secret"]);
  });
});

paths("the root can be renamed meanwhile: the descriptor is what counts", () => {
  inTree((tree) => {
    const moved = join(tree.top, "moved");
    rename(tree.rootfs, moved);
    makeLink("/", tree.rootfs);
    const fd = openInRoot(tree.root, "/etc/passwd", O_RDONLY, "follow-in-root");
    assert.is(decodeUtf8(readToEnd(fd)), "image");
    close(fd);
    assert.is(readTextAt(CWD, join(moved, "etc/passwd")), "image");
  });
});

paths.run();
