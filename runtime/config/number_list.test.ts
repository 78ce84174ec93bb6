import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bitMask, parseNumberList } from "./number_list.ts";

const cpus = { field: "process.x", one: "CPU", many: "CPUs", below: 32768 };

const list = suite("parseNumberList");

for (const [text, numbers] of [
  ["", []],
  ["3", [3]],
  ["0-3,7", [0, 1, 2, 3, 7]],
  ["7, 0 - 1 ,1", [0, 1, 7]],
  ["1025", [1025]],
] as const)
  list(`${JSON.stringify(text)} is [${numbers}]`, () => {
    assert.equal(parseNumberList(text, cpus), [...numbers]);
  });

for (const text of ["3-1", "-1", "1-", "1--2", "32768", "99999999999999999999"])
  list(`${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => parseNumberList(text, cpus),
      /^process\.x: ".*" is no CPU and no range of CPUs below 32768$/,
    );
  });

list.run();

const mask = suite("bitMask");

mask("a bit for each node, words as far as the highest needs, also beyond 1024", () => {
  assert.equal([...bitMask([])], []);
  assert.equal([...bitMask([0, 2])], [5n]);
  assert.equal([...bitMask([63, 64])], [1n << 63n, 1n]);
  const large = bitMask([0, 1025]);
  assert.is(large.length, 17);
  assert.is(large[0], 1n);
  assert.is(large[16], 2n);
});

mask.run();
