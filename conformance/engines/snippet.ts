// The snippets of docs/engines.md, for the tests that hold them.
import { readFileSync } from "node:fs";
import { runtimePath } from "../needs.ts";

const page = new URL("../../docs/engines.md", import.meta.url).pathname;
const installed = "/usr/local/bin/runt";

/** The fenced block number `index` of the section with this heading. */
export function writtenSnippet(heading: string, index = 0): string {
  const text = readFileSync(page, "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const blocks = [...(section ?? "").matchAll(/^```\w*\n(.*?)^```$/gms)];
  const block = blocks[index]?.[1];
  if (block === undefined) throw new Error(`docs/engines.md has no block ${index} below "## ${heading}"`);
  return block;
}

/** The same with the runtime under test in it. */
export const snippet = (heading: string, index = 0): string =>
  writtenSnippet(heading, index).replaceAll(installed, runtimePath);
