import { byteCharacters } from "../byte-characters.js";

const characters = byteCharacters();
const encoder = new TextEncoder();

/** The bytes of a text in GPT-2's alphabet, one character each. */
export function toByteCharacters(text: string): string {
  let out = "";
  for (const byte of encoder.encode(text)) out += characters[byte];
  return out;
}

/** The text of bytes; what is not UTF-8 becomes U+FFFD, a byte order mark stays. */
export const decodeBytes = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
