// A program spoken to through pipes, line by line. Not a string given at once: the engines' clients may lose an end
// of input that comes before they listen.
import { spawn } from "node:child_process";
import { eventually } from "../command.ts";

export type Dialogue = {
  readonly write: (text: string) => void;
  readonly end: () => void;
  /** Waits until the output holds the text. */
  readonly says: (text: string) => Promise<void>;
  readonly output: () => string;
  readonly status: Promise<number | null>;
};

/** Killed when the body is over, if it has not ended. */
export async function withDialogue(
  argv: readonly string[],
  body: (dialogue: Dialogue) => Promise<void>,
): Promise<void> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  child.stdin.on("error", () => {}); // it ended; its output and status tell
  const status = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  try {
    await body({
      write: (text) => child.stdin.write(text),
      end: () => child.stdin.end(),
      async says(text) {
        if (await eventually(() => output.includes(text), 60)) return;
        throw new Error(`it does not say ${JSON.stringify(text)}: ${JSON.stringify(output)}`);
      },
      output: () => output,
      status,
    });
  } finally {
    child.kill("SIGKILL");
  }
}
