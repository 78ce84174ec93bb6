/** elf(5), as much of it as it takes to change an executable where it says what, and nowhere else. */

export type Section = { readonly name: string; readonly offset: number; readonly size: number };

const ELF_MAGIC = 0x464c457f;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const SHT_NOBITS = 8;

/** The sections of a 64-bit little-endian file that have bytes in it. Throws on any other file. */
export function sections(file: Buffer): Section[] {
  if (file.readUInt32LE(0) !== ELF_MAGIC || file[4] !== ELFCLASS64 || file[5] !== ELFDATA2LSB)
    throw new Error("not a 64-bit little-endian ELF file");
  const headers = Number(file.readBigUInt64LE(0x28));
  const entrySize = file.readUInt16LE(0x3a);
  const count = file.readUInt16LE(0x3c);
  const header = (index: number): Buffer => file.subarray(headers + index * entrySize);
  const extent = (at: Buffer) => ({
    offset: Number(at.readBigUInt64LE(0x18)),
    size: Number(at.readBigUInt64LE(0x20)),
  });
  const names = extent(header(file.readUInt16LE(0x3e)));
  const nameAt = (start: number): string => file.toString("latin1", start, file.indexOf(0, start));
  return Array.from({ length: count }, (_, index) => header(index))
    .filter((at) => at.readUInt32LE(4) !== SHT_NOBITS)
    .map((at) => ({ name: nameAt(names.offset + at.readUInt32LE(0)), ...extent(at) }));
}
