// Forks as often as it is told; every child does real work in JavaScript. Ends with status 0 when not one child hung,
// crashed or gave another status than its own. Frozen into the engine that ships, and started, by fork.test.ts.
import { fork } from "../../runtime/self/fork.ts";
import { writeAll } from "../../syscalls/io.ts";
import { close } from "../../syscalls/open.ts";
import { poll } from "../../syscalls/poll.ts";
import { exitGroup, tryPidfdSendSignal, waitFor } from "../../syscalls/process.ts";
import { programArguments } from "../../syscalls/start.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";

const hangMs = 20_000;

type Item = { readonly id: number; readonly text: string; readonly more: readonly number[] };

/** Allocation, closures, JSON, strings, regular expressions, maps, exceptions: some ten kilobytes of garbage. */
function work(seed: number): number {
  const items = Array.from(
    { length: 100 },
    (_, i): Item => ({ id: i, text: `item ${i} of ${seed} ä😀`, more: [i, i * seed, i / 3] }),
  );
  const copies = JSON.parse(JSON.stringify(items)) as Item[];
  const byText = new Map(copies.map((item) => [item.text, item]));
  const adders = copies.map(
    ({ id }) =>
      (n: number): number =>
        n + id + (byText.get(`item ${id} of ${seed} ä😀`)?.id ?? NaN),
  );
  let sum = adders.reduce((total, add) => add(total), 0);
  for (const { text } of copies) sum += /^item (\d+)/.exec(text)?.[1]?.length ?? 0;
  try {
    throw new Error(String(BigInt(sum) ** 3n));
  } catch (error) {
    sum += (error as Error).message.length;
  }
  return sum;
}

/** What a program of one process gets, which every child has to get as well: made when this was frozen. */
const expected = work(7);

function round(i: number): string | undefined {
  const status = i % 100;
  const { pid, pidfd } = fork(0, () => exitGroup(work(7) === expected && work(i) > 0 ? status : 101));
  const [ended = 0] = poll([{ fd: pidfd, events: 1 }], hangMs);
  if (ended === 0) {
    tryPidfdSendSignal(pidfd, 9);
    waitFor(pid);
    close(pidfd);
    return `child ${i} hung`;
  }
  close(pidfd);
  const exit = waitFor(pid);
  return exit?.signal === 0 && exit.status === status ? undefined : `child ${i}: ${JSON.stringify(exit)}`;
}

function main(): number {
  const count = Number(programArguments()[1]);
  const failures: string[] = [];
  for (let i = 0; i < count && failures.length < 5; i++) {
    // The parent makes garbage of its own, so that forks meet every state of the collector.
    if (i % 4 === 0 && work(i) <= 0) failures.push("the parent cannot count");
    const failure = round(i);
    if (failure !== undefined) failures.push(failure);
  }
  const said = failures.length === 0 ? [`${count} forks`] : failures;
  writeAll(1 as Fd, encodeUtf8(said.map((line) => `${line}\n`).join("")));
  return failures.length === 0 ? 0 : 1;
}

(globalThis as { main?: () => number }).main = main;
