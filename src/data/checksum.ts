/**
 * A cyclic redundancy check of 32 bits: finds a changed, missing or shifted byte.
 *
 * @param polynomial with its bits reversed: 0xedb88320 is that of zip and PNG (ISO 3309), 0x82f63b78
 *   Castagnoli's (CRC-32C, RFC 3720)
 */
export function checksum32(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let word = byte;
    for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ polynomial : word >>> 1;
    return word;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
    return (crc ^ 0xffffffff) >>> 0;
  };
}
