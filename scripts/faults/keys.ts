/** A key as a server may repeat it, and whether a text holds a part of one. */
import type { Random } from "../../src/tensors/index.js";

type Stream = ReturnType<Random["stream"]>;

const symbols = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+=-_.&~";

/** Not one that could be a word, and with characters that encodings change. */
export function randomKey(pick: Stream): string {
  const length = 20 + pick.integer(40);
  const rest = Array.from({ length }, () => symbols[pick.integer(symbols.length)]).join("");
  return `sk-${rest}/${rest.slice(0, 3)}`;
}

const each = (text: string, f: (character: string) => string) => [...text].map(f).join("");
const code = (character: string) => character.charCodeAt(0);
const hex = (character: string, length: number) =>
  code(character).toString(16).padStart(length, "0");
const url64 = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const base64 = (text: string) => Buffer.from(text).toString("base64");

const encodings: readonly ((key: string) => string)[] = [
  (key) => key,
  (key) => key.toUpperCase(),
  (key) => key.replaceAll("/", "\\/"),
  (key) => each(key, (c) => (/\w/.test(c) ? c : `\\u${hex(c, 4)}`)),
  (key) => each(key, (c) => `\\u${hex(c, 4).toUpperCase()}`),
  (key) => encodeURIComponent(key),
  (key) => encodeURIComponent(key).toLowerCase(),
  (key) => each(key, (c) => `%${hex(c, 2)}`),
  (key) => encodeURIComponent(encodeURIComponent(key)),
  (key) => key.replaceAll("&", "&amp;").replaceAll("/", "&sol;").replaceAll("=", "&equals;"),
  (key) => each(key, (c) => `&#${code(c)};`),
  (key) => each(key, (c) => `&#x${hex(c, 4)};`),
  (key) => base64(key),
  (key) => url64(base64(key)),
  (key) => base64(`Bearer ${key}`),
  (key) => url64(base64(`user:${key}`)),
  (key) => base64(`Bearer ${key}`).replaceAll("/", "\\/").replaceAll("+", "\\u002b"),
  (key) => encodeURIComponent(base64(key)),
  (key) => Buffer.from(key).toString("hex"),
  (key) => `Bearer","${key}`,
  (key) => key.slice(0, 14),
  (key) => key.slice(-14),
  (key) => JSON.stringify(JSON.stringify({ key: `/${key}` })),
  (key) => `${"x".repeat(140)}${key}`,
  (key) => `${"y".repeat(190)}${base64(key)}`,
];

export function encodedKey(key: string, pick: Stream): string {
  return (encodings[pick.integer(encodings.length)] as (key: string) => string)(key);
}

/** So long a piece in clear, after undoing whatever can be undone, is a leak. */
const leakLength = 9;

/** Written without a look at what conceals: decodes in every order for some layers. */
export function leaks(text: string, key: string): boolean {
  const pieces = Array.from({ length: key.length - leakLength + 1 }, (_, i) =>
    key.slice(i, i + leakLength).toLowerCase(),
  );
  const seen = new Set<string>();
  let layer = [text];
  for (let depth = 0; depth < 4; depth++) {
    const next: string[] = [];
    for (const form of layer) {
      if (seen.has(form)) continue;
      seen.add(form);
      const lower = form.toLowerCase();
      if (pieces.some((piece) => lower.includes(piece))) return true;
      next.push(...decodings(form));
    }
    layer = next;
  }
  return false;
}

function decodings(text: string): string[] {
  const character = (_all: string, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16));
  const runs = text.match(/[\w+/-]{12,}/g) ?? [];
  const bytes = runs.flatMap((run) => [
    // The run may have begun before the key did.
    ...[0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64").toString("latin1")),
    ...[0, 1].map((skip) => Buffer.from(run.slice(skip), "hex").toString("latin1")),
  ]);
  return [
    text.replace(/%([0-9a-f]{2})/gi, character),
    text.replace(/\\u([0-9a-f]{4})/gi, character).replaceAll("\\", ""),
    text
      .replace(/&#x0*([0-9a-f]+);/gi, character)
      .replace(/&#(\d+);/g, (_all, digits: string) => String.fromCharCode(Number(digits)))
      .replace(/&amp;/gi, "&")
      .replace(/&sol;/gi, "/")
      .replace(/&equals;/gi, "="),
    ...bytes,
  ];
}
