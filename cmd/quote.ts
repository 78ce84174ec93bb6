/**
 * Text that came from a container, a path or an argument, made safe for a terminal and for one line of a log.
 * A program in a container chooses its own file names: without this it could forge records or move the cursor.
 */

// What Go's unicode.IsPrint refuses: everything that is not a letter, mark, number, punctuation, symbol or a space.
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const short: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** As Go's %q, which is what logrus and Go's flag package print: in double quotes, with escapes. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replace(unprintable, escapeCharacter)}"`;
}

/** The same escapes without quotes: quotes and backslashes stay, since engines match on parts of the text. */
export function printable(text: string): string {
  return text.replace(unprintable, escapeCharacter);
}

// Go's encoder escapes what is markup in HTML.
const unprintableOrMarkup = new RegExp(`${unprintable.source}|[<>&]`, "gu");

/** JSON on one line; JSON.stringify alone leaves DEL, the C1 controls and the line separators as they are. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(unprintableOrMarkup, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join(""),
  );
}

function escapeCharacter(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
