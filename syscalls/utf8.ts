/** Text to bytes and back. */
import { host } from "./engine/host.ts";

/** The UTF-8 of a text; half of a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return host.encode(text);
}

/** The text of bytes that should be UTF-8; what is not becomes U+FFFD. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string {
  return host.decode(bytes);
}

/** How many bytes from the beginning on are whole characters of valid UTF-8. */
export function validUtf8(bytes: Uint8Array): number {
  return host.validUtf8(bytes);
}
