/** A base character with its combining marks, or a run of bytes that are no UTF-8. */
export interface TextCharacter {
  /** In bytes. */
  readonly start: number;
  readonly end: number;
  /** U+FFFD for bytes that are no UTF-8, and for a run of U+FFFD itself. */
  readonly text: string;
  /** Without case, accents and composition; empty for what tokenizers drop, such as white space. */
  readonly folded: string;
}

export const replacement = "\ufffd";

/** The characters of a text given as bytes that need not be UTF-8. */
export function charactersOf(bytes: Uint8Array): TextCharacter[] {
  const encoder = new TextEncoder();
  let start = 0;
  return partsOf(bytes).map((part) => {
    const isText = typeof part === "string";
    const end = start + (isText ? encoder.encode(part).length : part);
    const text = isText ? part : replacement;
    const character = { start, end, text, folded: fold(text) };
    start = end;
    return character;
  });
}

/** Characters with their marks, and lengths of runs that are no UTF-8 or the replacement of such. */
function partsOf(bytes: Uint8Array): (string | number)[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const parts: (string | number)[] = [];
  const add = (part: string | number): void => {
    const last = parts.at(-1);
    if (typeof part === "number" && typeof last === "number") parts[parts.length - 1] = last + part;
    else parts.push(part);
  };
  let at = 0;
  for (const [start, end] of wellFormedRuns(bytes)) {
    if (start > at) add(start - at);
    for (const [part] of decoder
      .decode(bytes.subarray(start, end))
      .matchAll(/\ufffd+|[^\ufffd]\p{M}*/gsu)) {
      add(part.startsWith(replacement) ? 3 * part.length : part);
    }
    at = end;
  }
  if (bytes.length > at) add(bytes.length - at);
  return parts;
}

function wellFormedRuns(bytes: Uint8Array): [start: number, end: number][] {
  const runs: [number, number][] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0 && at > start) runs.push([start, at]);
    at += Math.max(1, length);
    if (length === 0) start = at;
  }
  if (at > start) runs.push([start, at]);
  return runs;
}

/** Bytes of the well-formed UTF-8 character at a position (Unicode, table 3-7), or 0. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let k = 1; k < length; k++) {
    const byte = bytes[at + k];
    const [low, high] = (k === 1 ? secondByteRanges.get(lead) : undefined) ?? [0x80, 0xbf];
    if (byte === undefined || byte < low || byte > high) return 0;
  }
  return length;
}

const secondByteRanges: ReadonlyMap<number, readonly [low: number, high: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\p{M}\p{White_Space}\p{Cc}\ufffd▁]/gu, "")
    .toLowerCase();
}
