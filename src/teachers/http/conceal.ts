/**
 * Keys in what servers say. A server that repeats a key does so in an encoding of its own choice: JSON,
 * percent or HTML escapes, base64, hex, in another case, in pieces, one encoding inside another.
 */

/** So long a piece of a key is hidden by itself. */
const pieceLength = 8;

/** Encodings inside each other that are looked through. */
const mostLayers = 4;

/** Hides the key in a text. */
export type Conceal = (text: string) => string;

/**
 * Replaces a key, and every piece of it of 8 characters or more (a shorter key: all of it), with
 * `[key]`, as it is or encoded.
 */
export function concealer(key: string | undefined): Conceal {
  if (key === undefined || key === "") return (text) => text;
  const forms = [key, ...base64Forms(key), hexOf(key)].map(comparable);
  const lengths = [...new Set(forms.map((form) => Math.min(pieceLength, form.length)))];
  const pieces = new Set(
    forms.flatMap((form) => piecesOf(form, Math.min(pieceLength, form.length))),
  );
  return (text) => {
    let hidden = new Uint8Array(text.length);
    let layer: Layer | undefined = plain(text);
    for (let i = 0; layer !== undefined && i < mostLayers; i++) {
      mark(layer, pieces, lengths, hidden);
      layer = decoded(layer);
    }
    if (!hidden.includes(1)) return text;
    hidden = Uint8Array.from([...hidden, 0]);
    let result = "";
    for (let i = 0; i < text.length; i++) {
      if (hidden[i] === 0) result += text[i];
      else if (hidden[i + 1] === 0) result += "[key]";
    }
    return result;
  };
}

/** Equal for what differs in case or in the alphabet of base64. */
function comparable(text: string): string {
  // Character by character, so that the length stays.
  return Array.from({ length: text.length }, (_, i) => {
    const lower = (text[i] as string).toLowerCase();
    return lower.length === 1 ? lower : (text[i] as string);
  })
    .join("")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
}

function piecesOf(form: string, length: number): string[] {
  return Array.from({ length: form.length - length + 1 }, (_, i) => form.slice(i, i + length));
}

/** What base64 makes of the key at the three places in a group of bytes where it can start. */
function base64Forms(key: string): string[] {
  const bytes = new TextEncoder().encode(key);
  return [0, 1, 2].flatMap((before) => {
    const text = btoa(String.fromCharCode(...new Array<number>(before).fill(0), ...bytes));
    // Without the digits that also hold bits of what is around the key.
    const form = text.slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + bytes.length) * 8) / 6),
    );
    return form.length >= pieceLength ? [form] : [];
  });
}

function hexOf(key: string): string {
  const bytes = [...new TextEncoder().encode(key)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A text that was decoded, with where each character begins and ends in the original. */
interface Layer {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

function plain(text: string): Layer {
  const starts = Array.from({ length: text.length }, (_, i) => i);
  return { text, starts, ends: starts.map((i) => i + 1) };
}

const escapes =
  /\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\([^])|%([0-9a-f]{2})|&#x0*([0-9a-f]{1,5});|&#0*([0-9]{1,6});|&([a-z]+);/gi;

const entities: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", sol: "/", bsol: "\\", plus: "+" },
  ...{ equals: "=", colon: ":", lowbar: "_", hyphen: "-", dash: "-", period: ".", percnt: "%" },
};

/** One layer of escapes less; undefined where there is none. */
function decoded({ text, starts, ends }: Layer): Layer | undefined {
  const parts: string[] = [];
  const from: number[] = [];
  const to: number[] = [];
  let next = 0;
  let found = false;
  const copy = (end: number) => {
    for (; next < end; next++) {
      parts.push(text[next] as string);
      from.push(starts[next] as number);
      to.push(ends[next] as number);
    }
  };
  for (const match of text.matchAll(escapes)) {
    const [all, unicode, byte, escaped, percent, hex, decimal, name] = match;
    const code = unicode ?? byte ?? percent ?? hex;
    const character =
      code !== undefined
        ? String.fromCharCode(Number.parseInt(code, 16))
        : decimal !== undefined
          ? String.fromCharCode(Number(decimal))
          : (escaped ?? entities[(name as string).toLowerCase()]);
    if (character === undefined) continue;
    copy(match.index);
    parts.push(character);
    from.push(starts[match.index] as number);
    next = match.index + all.length;
    to.push(ends[next - 1] as number);
    found = true;
  }
  if (!found) return undefined;
  copy(text.length);
  return { text: parts.join(""), starts: from, ends: to };
}

function mark(
  { text, starts, ends }: Layer,
  pieces: ReadonlySet<string>,
  lengths: readonly number[],
  hidden: Uint8Array,
): void {
  const compared = comparable(text);
  for (const length of lengths) {
    for (let i = 0; i + length <= compared.length; i++) {
      if (!pieces.has(compared.slice(i, i + length))) continue;
      hidden.fill(1, starts[i], ends[i + length - 1]);
    }
  }
}
