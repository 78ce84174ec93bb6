/** Signal names of signal(7) as people and engines write them. */

// Kernel names in the order of their numbers, from 1 (asm/signal.h; the same on x86-64 and arm64).
const names = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU " +
  "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

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
  const index = names.indexOf(Object.hasOwn(synonyms, name) ? (synonyms[name] ?? name) : name);
  return index < 0 ? undefined : index + 1;
}
