/**
 * The printable character that stands for each byte in byte-level vocabularies: itself where it is
 * printable Latin-1, otherwise U+0100 and up in order. Source: GPT-2 encoder.py, bytes_to_unicode.
 */
export function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let spare = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPrintable(byte) ? byte : spare++),
  );
}

/** The byte that each of those characters stands for. */
export function characterBytes(): ReadonlyMap<string, number> {
  return new Map(byteCharacters().map((character, byte) => [character, byte]));
}
