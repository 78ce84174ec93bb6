import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "./constants/fcntl.ts";
import { makedev, readDirectory } from "./directory.ts";
import { CWD, close, openat } from "./open.ts";
import { join, makeTemporary, removeTree, writeFile } from "./testing/files.ts";

const files = suite("directory");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("directory-test-");
  try {
    body(dir);
  } finally {
    removeTree(dir);
  }
}

for (const [major, minor, device] of [
  [1, 3, 0x103n],
  [5, 0, 0x500n],
  [8, 255, 0x8ffn],
  [8, 256, 0x100800n],
  [0xfff, 0xfffff, 0xffffffffn],
  [136, 1048575, 0xfff088ffn],
] as const)
  files(`makedev ${major}:${minor}`, () => assert.is(makedev(major, minor), device));

files("readDirectory: more than one buffer full, and any name", () => {
  inDirectory((dir) => {
    const names = Array.from({ length: 1500 }, (_, i) => `file ${i} ${"x".repeat(40)}`);
    for (const name of [...names, "a\nb", "ä", "..."]) writeFile(join(dir, name), "");
    const fd = openat(CWD, dir, O_RDONLY | O_DIRECTORY);
    const entries = readDirectory(fd);
    close(fd);
    assert.equal(entries.map(({ name }) => name).sort(), [...names, "a\nb", "ä", "..."].sort());
    assert.ok(entries.every(({ type }) => type === 8));
  });
});

files.run();
