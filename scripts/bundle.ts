/**
 * TypeScript to one file of JavaScript for the engine that ships, which has neither Node's modules nor a browser's.
 * Names and lines stay as they are, so that a stack tells where something happened.
 */
import { join } from "node:path";
import type { BunPlugin } from "bun";

const root = join(import.meta.dirname, "..");
const modules = join(root, "node_modules");

/**
 * yargs for browsers, which asks no process; its two imports by address are the packages that are installed here. What
 * measures text by Intl.Segmenter counts characters instead: all that is measured is our own help.
 */
const yargs: BunPlugin = {
  name: "yargs",
  setup(build) {
    const file = (path: string) => () => ({ path: join(modules, path) });
    build.onResolve({ filter: /^yargs$/ }, file("yargs/browser.mjs"));
    build.onResolve({ filter: /^https:\/\/unpkg\.com\/cliui@/ }, file("cliui/index.mjs"));
    build.onResolve({ filter: /^https:\/\/unpkg\.com\/yargs-parser@/ }, file("yargs-parser/browser.js"));
    build.onResolve({ filter: /^string-width$/ }, () => ({ path: "string-width", namespace: "counted" }));
    build.onLoad({ filter: /./, namespace: "counted" }, () => ({
      contents: "export default (text) => Array.from(text).length;",
      loader: "js",
    }));
  },
};

/** What the bundler would otherwise put in of this machine. */
const machine = { __dirname: "undefined", __filename: "undefined", "process.env.NODE_ENV": '"production"' };

export type Bundle = {
  readonly entry: string;
  readonly output: string;
  /** Global names to what stands in their place. */
  readonly define?: Readonly<Record<string, string>>;
  readonly plugins?: readonly BunPlugin[];
};

/** Writes the bundle, or throws what the bundler says. */
export async function bundle({ entry, output, define = {}, plugins = [] }: Bundle): Promise<void> {
  const result = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    format: "esm",
    minify: { syntax: true },
    define: { ...machine, ...define },
    plugins: [yargs, ...plugins],
    throw: false,
  });
  const [built] = result.outputs;
  if (!result.success || built === undefined) throw new AggregateError(result.logs, "the bundler failed");
  await Bun.write(output, built);
}
