import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encode, LD_W_ABS, RET_K, type SockFilter } from "./classic_bpf.ts";
import { runFilter } from "./classic_bpf_fixture.ts";
import { type Answers, searchTree } from "./tree.ts";

const tree = suite("searchTree");

const BEHIND = 0xdeadbeef;

/** What a program makes of a number that is the tree and, behind it, one return. */
const verdict = (answers: Answers): ((nr: number) => number) => {
  const whole: SockFilter[] = [[LD_W_ABS, 0, 0, 0], ...searchTree(answers), [RET_K, 0, 0, BEHIND]];
  const program = encode(whole);
  return (nr) => runFilter(program, { arch: 0, nr }).returned;
};

const cases: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
  ["one number", [[7, 1]]],
  ["number 0", [[0, 1]]],
  [
    "numbers in a row, with one answer",
    [
      [3, 1],
      [4, 1],
      [5, 1],
    ],
  ],
  [
    "numbers in a row, with different answers",
    [
      [3, 1],
      [4, 2],
      [5, 1],
    ],
  ],
  [
    "in any order",
    [
      [300, 3],
      [2, 1],
      [30, 2],
    ],
  ],
  [
    "numbers of x32, above the bit",
    [
      [0x40000000, 1],
      [0x40000002, 2],
    ],
  ],
  ["the largest number", [[0x7fffffff, 1]]],
  ["so many that a jump needs more than eight bits", Array.from({ length: 500 }, (_, i) => [2 * i, i])],
];
for (const [title, pairs] of cases)
  tree(title, () => {
    const answers = new Map(pairs);
    const of = verdict(answers);
    for (const number of answers.keys())
      for (const near of [number - 1, number, number + 1].filter((each) => each >= 0 && each <= 0xffffffff))
        assert.is(of(near), answers.get(near) ?? BEHIND, `number ${near}`);
    for (const far of [0, 1000, 0x40000000, 0xffffffff]) assert.is(of(far), answers.get(far) ?? BEHIND);
  });

tree("no answer, no tree", () => {
  assert.equal(searchTree(new Map()), []);
});

tree("a row of numbers with one answer costs no more than one number", () => {
  const row = new Map(Array.from({ length: 300 }, (_, i) => [i + 1, 1]));
  assert.is(searchTree(row).length, searchTree(new Map([[7, 1]])).length);
});

tree.run();
