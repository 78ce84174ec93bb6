import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hashBytes } from "../../syscalls/hash.ts";
import { geteuid } from "../../syscalls/identity.ts";
import {
  appendFile,
  exists,
  join,
  makeDirectory,
  makeLink,
  makeTemporary,
  namesIn,
  readFile,
  removeFile,
  removeTree,
  rename,
  setLength,
  setMode,
  setOwner,
  statOf,
  writeFile,
} from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { readCached, writeCached } from "./cache.ts";

const cache = suite("seccomp cache");

const text = `4 x64 2.5.4\n["SCMP_ACT_ALLOW",null,[],[{"names":["mkdir","é😀\ufffd"],"action":"SCMP_ACT_KILL"}]]`;
const other = text.replace("mkdir", "rmdir");
const program = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);

const fileOf = (root: string, of: string): string =>
  join(root, ".seccomp-cache", hashBytes(encodeUtf8(of)).toString(16).padStart(16, "0").slice(-16));

function withRoot(body: (root: HostPath, file: string) => void): void {
  const root = makeTemporary("seccomp-cache-");
  try {
    body(root as HostPath, fileOf(root, text));
  } finally {
    removeTree(root);
  }
}

const kept = (root: HostPath, of = text): number[] | undefined => {
  const found = readCached(root, of);
  return found && [...found];
};

cache("what was kept comes back, in a file that is the owner's alone", () => {
  withRoot((root, file) => {
    assert.is(readCached(root, text), undefined);
    assert.is(writeCached(root, text, program), undefined);
    assert.equal(kept(root), [...program]);
    assert.is(statOf(file).mode & 0o777, 0o600);
    assert.is(statOf(join(root, ".seccomp-cache")).mode & 0o777, 0o700);
    assert.equal(namesIn(join(root, ".seccomp-cache")), [file.slice(file.lastIndexOf("/") + 1)]);
  });
});

const poisons: readonly (readonly [string, (file: string) => void, needsRoot?: boolean])[] = [
  ["an instruction changed", (file) => flip(file, -2, 1)],
  ["the last byte changed", (file) => flip(file, -1, 1)],
  ["a letter of the text changed", (file) => flip(file, 40, 0x20)],
  ["another magic", (file) => flip(file, 0, 1)],
  ["another checksum", (file) => flip(file, 8, 1)],
  ["another length of the text", (file) => flip(file, 16, 8)],
  ["a length of the text beyond everything", (file) => flip(file, 23, 0xff)],
  ["another length of the program", (file) => flip(file, 24, 16)],
  ["a length of the program beyond everything", (file) => flip(file, 31, 0xff)],
  ["no header", (file) => setLength(file, 8)],
  ["only a header", (file) => setLength(file, 32)],
  ["no program", (file) => setLength(file, Number(statOf(file).size) - 8)],
  ["cut short by a byte", (file) => setLength(file, Number(statOf(file).size) - 1)],
  ["empty", (file) => setLength(file, 0)],
  ["longer", (file) => appendFile(file, new Uint8Array(8))],
  ["larger than any program", (file) => setLength(file, 1 << 24)],
  ["writable by the group", (file) => setMode(file, 0o660)],
  ["writable by everyone", (file) => setMode(file, 0o606)],
  ["owned by someone else", (file) => setOwner(file, 1000, 1000), true],
  [
    "a link",
    (file) => {
      rename(file, `${file}.real`);
      makeLink(`${file}.real`, file);
    },
  ],
  [
    "a directory",
    (file) => {
      removeFile(file);
      makeDirectory(file);
    },
  ],
];

/** Turns the bits of `mask` over in one byte, counted from the end when negative. */
function flip(file: string, at: number, mask: number): void {
  const bytes = readFile(file);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ mask;
  writeFile(file, bytes);
}

for (const [title, poison, needsRoot] of poisons) {
  if (needsRoot && geteuid() !== 0) {
    console.log(`skip: seccomp cache: ${title}: not running as root`);
    cache.skip(title, () => {});
    continue;
  }
  cache(`not used: ${title}`, () => {
    withRoot((root, file) => {
      writeCached(root, text, program);
      poison(file);
      assert.is(kept(root), undefined);
    });
  });
}

cache("two texts with the same name take each other's place, and none gets the other's program", () => {
  withRoot((root, file) => {
    const others = new Uint8Array(16).fill(7);
    writeCached(root, text, program);
    writeCached(root, other, others);
    rename(fileOf(root, other), file);
    assert.is(kept(root), undefined);
    writeCached(root, text, program);
    assert.equal(kept(root), [...program]);
    writeCached(root, other, others);
    rename(file, fileOf(root, other));
    assert.is(kept(root, other), undefined);
  });
});

cache("a text that only begins like the kept one is another", () => {
  withRoot((root) => {
    for (const longer of [`${text} `, `\ufeff${text}`]) {
      writeCached(root, longer, program);
      rename(fileOf(root, longer), fileOf(root, text));
      assert.is(kept(root), undefined);
    }
  });
});

cache("an empty program and half an instruction are never used", () => {
  withRoot((root) => {
    for (const length of [0, 7, 12]) {
      writeCached(root, text, new Uint8Array(length));
      assert.is(kept(root), undefined);
    }
  });
});

cache("rules of more than 1 MiB are not kept", () => {
  withRoot((root) => {
    const long = "x".repeat(1024 * 1024 + 1);
    assert.match(writeCached(root, long, program) ?? "", /longer than 1048576 bytes/);
    assert.is(kept(root, long), undefined);
    assert.is(writeCached(root, long.slice(1), program), undefined);
    assert.equal(kept(root, long.slice(1)), [...program]);
  });
});

cache("a cache that others may write to is not written, and says so", () => {
  withRoot((root) => {
    const directory = join(root, ".seccomp-cache");
    makeDirectory(directory);
    setMode(directory, 0o777);
    assert.match(writeCached(root, text, program) ?? "", /may be written by others/);
    assert.equal(namesIn(directory), []);
  });
});

cache("a state root that is not there is no error", () => {
  assert.match(writeCached("/nonexistent" as HostPath, text, program) ?? "", /ENOENT/);
});

cache("the number of programs is bounded, and the newest stays", () => {
  withRoot((root, file) => {
    for (let i = 0; i < 200; i++) writeCached(root, `${i}`, program);
    writeCached(root, text, program);
    assert.ok(namesIn(join(root, ".seccomp-cache")).length <= 64);
    assert.ok(exists(file));
  });
});

cache.run();
