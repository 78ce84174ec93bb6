/** Signal names of signal(7) as people and engines write them. */
import * as signals from "../syscalls/constants/signal.ts";

/** Without "SIG", which people may leave out. */
const numbers: ReadonlyMap<string, number> = new Map(
  Object.entries(signals)
    .filter(([name]) => /^SIG[A-Z0-9]+$/.test(name))
    .map(([name, number]) => [name.slice("SIG".length), Number(number)]),
);

const synonyms: Readonly<Record<string, string>> = { IOT: "ABRT", CLD: "CHLD", POLL: "IO" };

// As the C library counts them: it keeps 32 and 33 for its threads.
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1" or "0" (only asks whether the process is there). */
export function parseSignal(text: string): number {
  const signal = numberOf(text);
  if (signal === undefined) throw new Error(`unknown signal ${JSON.stringify(text)}`);
  return signal;
}

/** Whether parseSignal takes the text. */
export function isSignal(text: string): boolean {
  return numberOf(text) !== undefined;
}

function numberOf(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return byName(text.toUpperCase().replace(/^SIG/, ""));
  return Number(text) > SIGRTMAX ? undefined : Number(text);
}

function byName(name: string): number | undefined {
  const realTime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime !== null) {
    const offset = Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    const signal = (realTime[1] === "MIN" ? SIGRTMIN : SIGRTMAX) + offset;
    return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : undefined;
  }
  return numbers.get(Object.hasOwn(synonyms, name) ? (synonyms[name] ?? name) : name);
}
