import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sections } from "./elf.ts";

const elf = suite("elf");

elf("the sections of this program", () => {
  const file = readFileSync(process.execPath);
  const found = sections(file);
  const strings = found.find(({ name }) => name === ".dynstr");
  assert.ok(strings !== undefined);
  const { offset = 0, size = 0 } = strings ?? {};
  assert.ok(file.subarray(offset, offset + size).includes("\0getrlimit\0"));
  assert.not.ok(found.some(({ name }) => name === ".bss"));
});

elf("another file is refused", () => {
  assert.throws(() => sections(Buffer.alloc(64)), "not a 64-bit little-endian ELF file");
});

elf.run();
