/** Text to bytes and back: the only place that knows how. */

const encoder = new TextEncoder();
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** The UTF-8 of a text; half of a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of bytes that should be UTF-8; what is not becomes U+FFFD. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string {
  return lossy.decode(bytes);
}

/** How many bytes from the beginning on are whole characters of valid UTF-8. */
export function validUtf8(bytes: Uint8Array): number {
  const isWhole = (end: number): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end));
      return true;
    } catch {
      return false;
    }
  };
  for (let end = bytes.length; end > 0; end--) if (isWhole(end)) return end;
  return 0;
}
