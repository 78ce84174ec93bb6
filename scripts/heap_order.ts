/**
 * Which blocks of the heap lie together in the image. A start copies every page that it writes to, and writes to a few
 * blocks all over a heap in the order in which it was loaded, as each use of a value counts its references. So those
 * that commands touch (conformance/bench/touched.ts, `npm run order`) come first, those of most commands in front.
 *
 * Blocks have no names: the order tells of each block that was made while an image was frozen how large it was, and the
 * sequence of these sizes is what a newer program is compared with. What is new in it stands behind, as what nobody
 * touches does, and among many of one size another may be taken for one that is touched; so an order that is not of today
 * costs time and nothing else.
 *
 * With it `run` has half of the page faults, and a created container holds a third of the memory.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is known of a block, in the order in which they are made. */
export type Block = {
  /** Bytes with its head. */
  readonly size: number;
  /** Its position among those that are touched, from 1 on; 0: nothing touches it. */
  readonly rank: number;
};

/** As arena.c aligns blocks; the caller's part begins so many bytes behind a block's beginning. */
const UNIT = 16;
const HEAD = 8;
const WORD = 4;
const TOKEN = /([0-9a-z]+)(?:\.([0-9a-z]+))?/g;
const DIGITS = 36;
const COLUMNS = 120;

/** The order that this repository's program is built with. */
export const orderFile = join(import.meta.dirname, "../syscalls/engine/heap_order.txt");

/** Where the host has noted the places of an image's blocks; the first word is something else. */
export const placesOf = (image: string): string => `${image}.places`;
export const MAX_BLOCKS = 1 << 18;

/** What the host has noted in it: where each block lies, as a distance from the arena's beginning. */
export function placesIn(image: string): number[] {
  const words = readFileSync(placesOf(image));
  const places: number[] = [];
  for (let at = WORD; at < words.length && words.readUInt32LE(at) !== 0; at += WORD)
    places.push(words.readUInt32LE(at));
  return places;
}

/** The blocks of an image in the order in which they were made. Of those that lie in one place, one after the other, the
 * last is what the image has. */
export function blocksOf(image: string, places: readonly number[]): { place: number; size: number }[] {
  const bytes = readFileSync(image);
  return places.map((place) => ({ place, size: Number(bytes.readBigUInt64LE(place - HEAD)) }));
}

/** Where the first block that was made in an empty arena begins. */
export const firstOf = (blocks: readonly { place: number }[]): number => (blocks[0]?.place ?? 0) - UNIT;

export function readOrder(text: string): Block[] {
  return [...text.matchAll(TOKEN)].map(([, size = "", rank = "0"]) => ({
    size: Number.parseInt(size, DIGITS) * UNIT,
    rank: Number.parseInt(rank, DIGITS),
  }));
}

export function writeOrder(blocks: readonly Block[]): string {
  let [text, line] = ["", ""];
  for (const { size, rank } of blocks) {
    const token = (size / UNIT).toString(DIGITS) + (rank === 0 ? "" : `.${rank.toString(DIGITS)}`);
    if (line.length + 1 + token.length > COLUMNS) {
      text += `${line}\n`;
      line = "";
    }
    line += line === "" ? token : ` ${token}`;
  }
  return `${text}${line}\n`;
}

/** The ranks of an order for the blocks of another program, by what diff(1) finds in both sequences of sizes. */
export function carryOver(order: readonly Block[], sizes: readonly number[]): number[] {
  const dir = mkdtempSync(join(tmpdir(), "order-"));
  try {
    const [before, after] = [order.map(({ size }) => size), sizes].map((sequence, index) => {
      const file = join(dir, `${index}`);
      writeFileSync(file, sequence.map((size) => `${size}\n`).join(""));
      return file;
    });
    const formats = ["--unchanged-line-format==", "--old-line-format=-", "--new-line-format=+"];
    const { stdout, stderr, status } = spawnSync("diff", [...formats, `${before}`, `${after}`], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    if (status !== 0 && status !== 1) throw new Error(`diff: ${stderr}`);
    let at = 0;
    return [...stdout].flatMap((line) => {
      const rank = line === "+" ? 0 : (order[at++]?.rank ?? 0);
      return line === "-" ? [] : [rank];
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/**
 * Where blocks are to lie, as distances from the arena's beginning, 0 for those without a rank, and how many bytes this
 * takes. `first` is where the first block of all begins.
 */
export function layOut(
  sizes: readonly number[],
  ranks: readonly number[],
  first: number,
): { readonly places: number[]; readonly length: number } {
  const places = sizes.map(() => 0);
  let next = first;
  const touched = ranks.flatMap((rank, index) => (rank > 0 ? [{ rank, index }] : []));
  for (const { index } of touched.sort((a, b) => a.rank - b.rank)) {
    places[index] = next + UNIT;
    next += sizes[index] ?? 0;
  }
  return { places, length: next - first };
}
