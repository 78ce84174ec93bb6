import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Block,
  blocksOf,
  carryOver,
  layOut,
  orderFile,
  placesIn,
  readOrder,
  writeOrder,
} from "./heap_order.ts";

const ordering = suite("the order of the heap");

const order: Block[] = [
  { size: 32, rank: 0 },
  { size: 48, rank: 2 },
  { size: 1024, rank: 0 },
  { size: 80, rank: 1 },
  { size: 64, rank: 3 },
];

ordering("is the same when it has been written and read", () => {
  const many = Array.from(
    { length: 300 },
    (_, index) => order[index % order.length] ?? { size: 16, rank: 0 },
  );
  const text = writeOrder(many);
  assert.equal(readOrder(text), many);
  assert.ok(text.split("\n").every((line) => line.length <= 120));
  assert.equal(readOrder("\n"), []);
});

ordering("is carried over to a program in which blocks are new, gone or of another size", () => {
  const sizes = order.map(({ size }) => size);
  assert.equal(carryOver(order, sizes), [0, 2, 0, 1, 3]);
  assert.equal(carryOver(order, [32, 48, 96, 96, 1024, 80, 64]), [0, 2, 0, 0, 0, 1, 3]);
  assert.equal(carryOver(order, [32, 48, 80, 64]), [0, 2, 1, 3]);
  assert.equal(carryOver(order, [32, 48, 1024, 112, 64]), [0, 2, 0, 0, 3]);
  assert.equal(carryOver(order, []), []);
  assert.equal(carryOver([], sizes), [0, 0, 0, 0, 0]);
});

ordering("lays what has a rank one behind the other", () => {
  const sizes = order.map(({ size }) => size);
  assert.equal(layOut(sizes, [0, 2, 0, 1, 3], 160), { places: [0, 256, 0, 176, 304], length: 192 });
  assert.equal(layOut(sizes, [0, 0, 0, 0, 0], 160), { places: [0, 0, 0, 0, 0], length: 0 });
});

const image = join(import.meta.dirname, "../dist/build/runt/image");
if (existsSync(image))
  ordering("that is in the repository is of this program, by most of it", () => {
    const known = readOrder(readFileSync(orderFile, "utf8"));
    const blocks = blocksOf(image, placesIn(image));
    const carried = carryOver(
      known,
      blocks.map(({ size }) => size),
    );
    const [was, is] = [known.map(({ rank }) => rank), carried].map((ranks) => ranks.filter(Boolean).length);
    assert.ok(
      (is ?? 0) > 0.7 * (was ?? 0),
      `${is} of ${was} blocks are found again: \`npm run order\` notes it anew`,
    );
  });
else console.log("skip: dist/runt is not built: whether the order is of this program is not known");

ordering.run();
