/**
 * What most rules of most profiles come to is one answer to one number. libseccomp takes milliseconds for the hundreds
 * of them in an engine's profile, and makes a comparison of each; here they become one search tree in front of its
 * program, which decides on all other numbers.
 */
import { JMP_JA, JMP_JGE_K, JUMP_MAX, RET_K, type SockFilter } from "./classic_bpf.ts";

/** What a filter returns (SECCOMP_RET_*) for a system call of this number, whatever its arguments. An int has the number. */
export type Answers = ReadonlyMap<number, number>;

/** Numbers from `first` to the next span's have the same answer, or none. */
interface Span {
  readonly first: number;
  readonly action: number | undefined;
}

/**
 * Instructions that return the answer to the number in the accumulator, and for a number without one go on behind the
 * last of them.
 */
export function searchTree(answers: Answers): SockFilter[] {
  if (answers.size === 0) return [];
  const spans = spansOf(answers);
  const tree: SockFilter[] = [];
  const misses: number[] = [];
  search(0, spans.length);
  for (const at of misses) tree[at] = [JMP_JA, 0, 0, tree.length - at - 1];
  return tree;

  /** Finds the span among those from `begin` to before `end`. */
  function search(begin: number, end: number): void {
    const at = tree.length;
    if (end - begin === 1) {
      const action = spans[begin]?.action;
      if (action === undefined) misses.push(at);
      tree.push([RET_K, 0, 0, action ?? 0]);
      return;
    }
    const middle = (begin + end) >> 1;
    const first = spans[middle]?.first ?? 0;
    // A tree of n spans has n leaves and n - 1 comparisons.
    const far = 2 * (middle - begin) - 1 > JUMP_MAX;
    tree.push([JMP_JGE_K, 0, 0, first]);
    if (far) tree.push([JMP_JA, 0, 0, 0]);
    search(begin, middle);
    const passed = tree.length - at - 1;
    tree[at] = far ? [JMP_JGE_K, 0, 1, first] : [JMP_JGE_K, passed, 0, first];
    if (far) tree[at + 1] = [JMP_JA, 0, 0, passed - 1];
    search(middle, end);
  }
}

/** All numbers, from 0 on. */
function spansOf(answers: Answers): Span[] {
  const spans: Span[] = [];
  let next = 0;
  const add = (first: number, action: number | undefined): void => {
    if (spans.length === 0 || spans[spans.length - 1]?.action !== action) spans.push({ first, action });
  };
  for (const number of new Uint32Array([...answers.keys()]).sort()) {
    if (number > next) add(next, undefined);
    add(number, answers.get(number));
    next = number + 1;
  }
  add(next, undefined);
  return spans;
}
