/** Text from a configuration, made fit for an error message: one line, no terminal escapes, not too long. */

const MAX_LENGTH = 80;
/** DEL and the C1 controls, and what is invisible or turns the direction of writing. */
const invisible = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** `text` in double quotes, control characters as escapes, cut after 80 characters. */
export function quote(text: string): string {
  const shown = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return JSON.stringify(shown).replace(
    invisible,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
