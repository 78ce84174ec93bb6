/**
 * The entry. A command that puts a process into a container re-executes itself sealed before anything else, so what
 * it will load then is not loaded twice: a word that is such a command's name is enough to go there at once. Sealing
 * for nothing is harmless, and a command that slips through is sealed by program.ts.
 */
import { sealSelf } from "../runtime/process/seal.ts";
import { sealedCommands } from "./sealed_commands.ts";

const words = process.argv.slice(2);
if (words.some((word) => sealedCommands.has(word)) && !words.some((word) => /^--?h(elp)?$/.test(word))) {
  try {
    sealSelf();
  } catch {
    // program.ts tries again, and has the log to say why it failed.
  }
}

await import("./program.ts");
