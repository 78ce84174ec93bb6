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
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../syscalls/types.ts";
import { readCached, writeCached } from "./cache.ts";

const cache = suite("seccomp cache");

const key = "ab".repeat(32);
const program = new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);

function withRoot(body: (root: HostPath, file: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "seccomp-cache-"));
  try {
    body(root as HostPath, join(root, ".seccomp-cache", key));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const kept = (root: HostPath): number[] | undefined => {
  const found = readCached(root, key);
  return found && [...found];
};

cache("what was kept comes back, in a file that is the owner's alone", () => {
  withRoot((root, file) => {
    assert.is(readCached(root, key), undefined);
    assert.is(writeCached(root, key, program), undefined);
    assert.equal(kept(root), [...program]);
    assert.is(statSync(file).mode & 0o777, 0o600);
    assert.is(statSync(join(root, ".seccomp-cache")).mode & 0o777, 0o700);
    assert.equal(readdirSync(join(root, ".seccomp-cache")), [key]);
  });
});

const poisons: readonly (readonly [string, (file: string) => void, needsRoot?: boolean])[] = [
  ["an instruction changed", (file) => poke(file, 30, 0)],
  ["another magic", (file) => poke(file, 0, 0)],
  ["another length", (file) => poke(file, 16, 16)],
  ["cut short", (file) => truncateSync(file, 24)],
  ["not a multiple of an instruction", (file) => truncateSync(file, 31)],
  ["empty", (file) => truncateSync(file, 0)],
  ["longer", (file) => writeFileSync(file, Buffer.alloc(8), { flag: "a" })],
  ["larger than any program", (file) => truncateSync(file, 1 << 20)],
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

function poke(file: string, at: number, value: number): void {
  const bytes = readFileSync(file);
  bytes[at] = value;
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
      writeCached(root, key, program);
      poison(file);
      assert.is(kept(root), undefined);
    });
  });
}

cache("another profile's program under this name is not used", () => {
  withRoot((root, file) => {
    const other = "cd".repeat(32);
    writeCached(root, other, program);
    renameSync(join(root, ".seccomp-cache", other), file);
    assert.is(kept(root), undefined);
  });
});

cache("a cache that others may write to is not written, and says so", () => {
  withRoot((root) => {
    const directory = join(root, ".seccomp-cache");
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    assert.match(writeCached(root, key, program) ?? "", /may be written by others/);
    assert.equal(readdirSync(directory), []);
  });
});

cache("a state root that is not there is no error", () => {
  assert.match(writeCached("/nonexistent" as HostPath, key, program) ?? "", /ENOENT/);
});

cache("the number of programs is bounded, and the newest stays", () => {
  withRoot((root, file) => {
    for (let i = 0; i < 200; i++) writeCached(root, i.toString(16).padStart(64, "0"), program);
    writeCached(root, key, program);
    assert.ok(readdirSync(join(root, ".seccomp-cache")).length <= 64);
    assert.ok(existsSync(file));
  });
});

cache.run();
