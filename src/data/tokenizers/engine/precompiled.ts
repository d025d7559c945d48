import { decodeBytes } from "./byte-text.js";
import { type Place, unfaithful } from "./part.js";

/**
 * SentencePiece's compiled replacements: a double-array trie over UTF-8 bytes whose values are places
 * in a blob of texts that end in a zero byte. As the original has it, the shortest entry that begins a
 * grapheme of fewer than 6 bytes replaces the whole grapheme; others go character by character.
 * What is left of a text whose beginning it takes away begins where the text began, to the library.
 * Source: crate spm_precompiled 0.1, darts-clone.
 */
export function readCharsmap(base64: string, place: Place): (text: string) => string {
  const bytes = fromBase64(base64);
  const trieBytes =
    bytes === undefined || bytes.length < 4 ? -1 : new DataView(bytes.buffer).getUint32(0, true);
  if (bytes === undefined || trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw unfaithful(place, base64.slice(0, 40));
  }
  const view = new DataView(bytes.buffer, 4, trieBytes);
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 * i, true));
  const blob = bytes.subarray(4 + trieBytes);
  const cache = new Map<string, string | undefined>();
  const replacement = (text: string): string | undefined => {
    if (cache.has(text)) return cache.get(text);
    const at = shortestEntry(units, encoder.encode(text));
    const end = at === undefined ? -1 : blob.indexOf(0, at);
    const found =
      at === undefined ? undefined : decodeBytes(blob.subarray(at, end < 0 ? undefined : end));
    if (cache.size > 50_000) cache.clear();
    cache.set(text, found);
    return found;
  };
  return (text) => {
    let out = "";
    for (const grapheme of graphemes(text)) {
      const isShort = grapheme.length < 6 && encoder.encode(grapheme).length < 6;
      const whole = isShort ? replacement(grapheme) : undefined;
      if (whole !== undefined) out += whole;
      else for (const character of grapheme) out += replacement(character) ?? character;
    }
    return out;
  };
}

const encoder = new TextEncoder();

/** The value of the shortest key that the bytes begin with. */
function shortestEntry(units: Uint32Array, bytes: Uint8Array): number | undefined {
  const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  let at = offset(units[0] as number);
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    at ^= byte;
    const unit = units[at] ?? 0;
    if ((unit & 0x8000_00ff) >>> 0 !== byte) return undefined;
    at ^= offset(unit);
    if ((unit >>> 8) & 1) return (units[at] ?? 0) & 0x7fff_ffff;
  }
  return undefined;
}

let segmenter: Intl.Segmenter | undefined;

function* graphemes(text: string): Generator<string> {
  // Only "\r\n" is more than one character in ASCII.
  if (/^[\0-\x7f]*$/.test(text)) {
    yield* text.match(/\r\n|[^]/g) ?? [];
    return;
  }
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
