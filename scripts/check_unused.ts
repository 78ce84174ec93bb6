/**
 * Finds what nobody uses: a function, class or constant that a file exports and no other file names. A type may be
 * exported for what its functions take. Names are compared as text, outside of comments and strings, so that what is
 * found is surely unused.
 *
 * `bun run scripts/check_unused.ts` prints what it finds and fails; check_unused.test.ts does so in `npm test`.
 */
import { join } from "node:path";
import { maskText, readSources, type Sources } from "./check_layers.ts";

/** Exports of modules that are used as a whole, by `import * as`: tables of a specification's names. */
const tables = /^(syscalls\/constants\/|runtime\/config\/names\.ts|runtime\/criu\/rpc\.ts)/;

/** `file: name` of every export that only its own file names, in the order of the files. */
export function unusedExports(sources: Sources): string[] {
  const users = new Map<string, Set<string>>();
  for (const [file, text] of sources)
    for (const [word] of maskText(text).matchAll(/[A-Za-z_$][\w$]*/g)) {
      const files = users.get(word) ?? new Set();
      users.set(word, files.add(file));
    }
  return [...sources].flatMap(([file, text]) =>
    tables.test(file)
      ? []
      : [...maskText(text).matchAll(/^export (?:async )?(?:function|class|const) ([\w$]+)/gm)]
          .map(([, name = ""]) => name)
          .filter((name) => users.get(name)?.size === 1)
          .map((name) => `${file}: ${name}`),
  );
}

if (import.meta.main) {
  const unused = unusedExports(readSources(join(import.meta.dirname, "..")));
  for (const each of unused) console.log(each);
  process.exitCode = unused.length === 0 ? 0 : 1;
}
