/** A fast hash of bytes, to find things again and to notice damage. It protects from nobody. */

/** 64 bits that say little about equality and much about difference: compare what has the same hash. */
export function hashBytes(bytes: Uint8Array): bigint {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
    high ^= high >>> 15;
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
