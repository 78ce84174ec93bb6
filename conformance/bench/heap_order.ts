/**
 * `npm run order`: writes syscalls/engine/heap_order.txt anew (scripts/heap_order.ts), from what blocks of the heap the
 * commands touch that engines give most. As root, some minutes.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../scripts/build.ts";
import { blocksOf, orderFile, placesIn, writeOrder } from "../../scripts/heap_order.ts";
import { makeBundles } from "./bundles.ts";

// touched.c
const UNIT = 16;
const SLOT_BYTES = (1 << 18) / 8;
const SLOTS = 6;

/** What one process touched: the numbers of units. */
type Touched = { readonly read: ReadonlySet<number>; readonly written: ReadonlySet<number> };

function unitsOf(bytes: Uint8Array): Set<number> {
  const units = new Set<number>();
  for (const [index, byte] of bytes.entries())
    for (let bit = 0; byte >> bit !== 0; bit++) if ((byte >> bit) & 1) units.add(index * 8 + bit);
  return units;
}

/** Of every process that has left notes, in the order of the starts; the directory is empty afterwards. */
function takeNotes(dir: string): Touched[] {
  const files = readdirSync(dir).sort();
  const all = files.flatMap((file) => {
    const bytes = readFileSync(join(dir, file));
    rmSync(join(dir, file));
    return Array.from({ length: SLOTS }, (_, slot) => {
      const begin = slot * 2 * SLOT_BYTES;
      return {
        read: unitsOf(bytes.subarray(begin, begin + SLOT_BYTES)),
        written: unitsOf(bytes.subarray(begin + SLOT_BYTES, begin + 2 * SLOT_BYTES)),
      };
    });
  });
  return all.filter(({ read, written }) => read.size + written.size > 0);
}

function perform(runt: string, notes: string): Touched[] {
  const bundles = makeBundles();
  const root = join(bundles.dir, "state");
  const log = ["--log", join(bundles.dir, "log"), "--log-format", "json"];
  const of = (...args: string[]): string[] => ["--root", root, ...log, ...args];
  const id = `order-${process.pid}`;
  const file = join(bundles.dir, "process.json");
  writeFileSync(
    file,
    JSON.stringify({ args: ["true"], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 } }),
  );
  const pidFile = join(bundles.dir, "pid");
  const commands = [
    ["--version"],
    of("create", "--bundle", bundles.sleeping, "--pid-file", pidFile, id),
    of("start", id),
    of("state", id),
    of("exec", id, "true"),
    of("exec", "--process", file, "--detach", "--pid-file", pidFile, id),
    of("kill", id, "WINCH"),
    of("list"),
    of("kill", id, "KILL"),
    of("delete", "--force", id),
    ["--root", root, "run", "--bundle", bundles.plain, id],
    // The second finds its program of seccomp in the cache.
    ["--root", root, "run", "--bundle", bundles.confined, id],
    ["--root", root, "run", "--bundle", bundles.confined, id],
    ["--root", root, "run", "--bundle", bundles.user, id],
  ];
  try {
    return commands.flatMap((args) => {
      // To no pipe: a container keeps its end open.
      const { status } = spawnSync(runt, args, { stdio: ["ignore", "ignore", "inherit"] });
      if (status !== 0) throw new Error(`runt ${args.join(" ")}: exit status ${status}`);
      console.log(args.filter((word) => !word.includes("/")).join(" "));
      return takeNotes(notes);
    });
  } finally {
    spawnSync(runt, of("delete", "--force", id));
    rmSync(bundles.dir, { recursive: true, force: true });
  }
}

/** From 1 on: first what is written to, as each page of it is copied, and of that what most processes write to. */
function ranksOf(blocks: ReturnType<typeof blocksOf>, processes: readonly Touched[]): number[] {
  // Of several blocks that were made in one place, the last is what the image has.
  const lying = new Map(blocks.map(({ place }, index) => [place, index]));
  const touches = [...lying.values()].map((index) => {
    const { place, size } = blocks[index] ?? { place: 0, size: 0 };
    const units = Array.from({ length: size / UNIT }, (_, unit) => (place - UNIT / 2) / UNIT + unit).map(
      Math.floor,
    );
    const by = (kind: keyof Touched): boolean[] =>
      processes.map((touched) => units.some((unit) => touched[kind].has(unit)));
    const writers = by("written");
    const writes = writers.some(Boolean);
    const users = writes ? writers : by("read");
    return { index, writes, count: users.filter(Boolean).length, users: users.map(Number).join("") };
  });
  const order = touches
    .filter(({ count }) => count > 0)
    .sort(
      (a, b) =>
        Number(b.writes) - Number(a.writes) ||
        b.count - a.count ||
        b.users.localeCompare(a.users) ||
        a.index - b.index,
    );
  const ranks = blocks.map(() => 0);
  for (const [position, { index }] of order.entries()) ranks[index] = position + 1;
  return ranks;
}

const folder = join(import.meta.dirname, "../../dist/bench");
mkdirSync(folder, { recursive: true });
// In memory, as every note is a write.
const notes = mkdtempSync("/dev/shm/touched-");
try {
  const runt = await build({
    output: join(folder, "runt-touched"),
    instrument: {
      edit: (program) => program,
      addition: {
        source: join(import.meta.dirname, "touched.c"),
        compiling: [`-DNOTES="${notes}"`],
        linking: ["-Wl,--wrap=syscall"],
      },
    },
  });
  const image = join(folder, "build/runt-touched/image");
  const blocks = blocksOf(image, placesIn(image));
  const ranks = ranksOf(blocks, perform(runt, notes));
  writeFileSync(orderFile, writeOrder(blocks.map(({ size }, index) => ({ size, rank: ranks[index] ?? 0 }))));
  const touched = blocks.filter((_, index) => (ranks[index] ?? 0) > 0);
  const bytes = touched.reduce((sum, { size }) => sum + size, 0);
  console.log(`${touched.length} of ${blocks.length} blocks are touched, ${bytes} bytes`);
} finally {
  rmSync(notes, { recursive: true, force: true });
}
