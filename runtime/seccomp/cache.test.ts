import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hashBytes } from "../../syscalls/hash.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { readCached, writeCached } from "./cache.ts";

const cache = suite("seccomp cache");

const text = `4 x64 2.5.4\n["SCMP_ACT_ALLOW",null,[],[{"names":["mkdir","é😀\ufffd"],"action":"SCMP_ACT_KILL"}]]`;
const other = text.replace("mkdir", "rmdir");
const program = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);

const fileOf = (root: string, of: string): string =>
  join(root, ".seccomp-cache", hashBytes(encodeUtf8(of)).toString(16).padStart(16, "0"));

function withRoot(body: (root: HostPath, file: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "seccomp-cache-"));
  try {
    body(root as HostPath, fileOf(root, text));
  } finally {
    rmSync(root, { recursive: true });
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
    assert.is(statSync(file).mode & 0o777, 0o600);
    assert.is(statSync(join(root, ".seccomp-cache")).mode & 0o777, 0o700);
    assert.equal(readdirSync(join(root, ".seccomp-cache")), [basename(file)]);
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
  ["no header", (file) => truncateSync(file, 8)],
  ["only a header", (file) => truncateSync(file, 32)],
  ["no program", (file) => truncateSync(file, statSync(file).size - 8)],
  ["cut short by a byte", (file) => truncateSync(file, statSync(file).size - 1)],
  ["empty", (file) => truncateSync(file, 0)],
  ["longer", (file) => writeFileSync(file, Buffer.alloc(8), { flag: "a" })],
  ["larger than any program", (file) => truncateSync(file, 1 << 24)],
  ["writable by the group", (file) => chmodSync(file, 0o660)],
  ["writable by everyone", (file) => chmodSync(file, 0o606)],
  ["owned by someone else", (file) => chownSync(file, 1000, 1000), true],
  [
    "a link",
    (file) => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
  ],
  [
    "a directory",
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
];

/** Turns the bits of `mask` over in one byte, counted from the end when negative. */
function flip(file: string, at: number, mask: number): void {
  const bytes = readFileSync(file);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ mask;
  writeFileSync(file, bytes);
}

for (const [title, poison, needsRoot] of poisons) {
  if (needsRoot && process.getuid?.() !== 0) {
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
    renameSync(fileOf(root, other), file);
    assert.is(kept(root), undefined);
    writeCached(root, text, program);
    assert.equal(kept(root), [...program]);
    writeCached(root, other, others);
    renameSync(file, fileOf(root, other));
    assert.is(kept(root, other), undefined);
  });
});

cache("a text that only begins like the kept one is another", () => {
  withRoot((root) => {
    for (const longer of [`${text} `, `\ufeff${text}`]) {
      writeCached(root, longer, program);
      renameSync(fileOf(root, longer), fileOf(root, text));
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
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    assert.match(writeCached(root, text, program) ?? "", /may be written by others/);
    assert.equal(readdirSync(directory), []);
  });
});

cache("a state root that is not there is no error", () => {
  assert.match(writeCached("/nonexistent" as HostPath, text, program) ?? "", /ENOENT/);
});

cache("the number of programs is bounded, and the newest stays", () => {
  withRoot((root, file) => {
    for (let i = 0; i < 200; i++) writeCached(root, `${i}`, program);
    writeCached(root, text, program);
    assert.ok(readdirSync(join(root, ".seccomp-cache")).length <= 64);
    assert.ok(existsSync(file));
  });
});

cache.run();
