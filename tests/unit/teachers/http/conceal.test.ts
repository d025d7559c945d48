import { describe, expect, test } from "vitest";
import { concealer } from "../../../../src/teachers/http/conceal.js";

const key = "sk-Ab/cd+Ef=gh_ij-KL&mn.op";
const conceal = concealer(key);
const base64 = (text: string) => Buffer.from(text).toString("base64");
const hex = (character: string, length: number) =>
  character.charCodeAt(0).toString(16).padStart(length, "0");
const each = (f: (character: string) => string) => [...key].map(f).join("");

const encoded: [string, string][] = [
  ["as it is", key],
  ["in another case", key.toUpperCase()],
  ["with \\/", key.replace("/", "\\/")],
  ["as \\u escapes", each((c) => `\\u${hex(c, 4)}`)],
  ["as \\U escapes of a string in a string", each((c) => `\\\\u${hex(c, 4).toUpperCase()}`)],
  ["percent-encoded", encodeURIComponent(key)],
  ["percent-encoded, lower case", encodeURIComponent(key).replace(/%../g, (x) => x.toLowerCase())],
  ["percent-encoded twice", encodeURIComponent(encodeURIComponent(key))],
  ["every character percent-encoded", each((c) => `%${hex(c, 2)}`)],
  ["as HTML", key.replace("&", "&amp;").replace("/", "&sol;").replace("=", "&equals;")],
  ["as decimal entities", each((c) => `&#0${c.charCodeAt(0)};`)],
  ["as hexadecimal entities", each((c) => `&#x${hex(c, 4)};`)],
  ["in hex", Buffer.from(key).toString("hex").toUpperCase()],
  ["in base64", base64(key)],
  ["in base64url", Buffer.from(key).toString("base64url")],
  ["in base64 one byte in", base64(`:${key}`)],
  ["in base64 two bytes in", base64(`a:${key}`)],
  ["in base64 with Bearer", base64(`Bearer ${key}`)],
  ["in base64 with \\/", base64(`${key}???`).replaceAll("/", "\\/")],
  ["its first part", key.slice(0, 12)],
  ["its last part", key.slice(-12)],
];

describe("a key is hidden", () => {
  test.each(encoded)("%s", (_how, text) => {
    const shown = conceal(`Wrong key: Bearer ${text}.`);
    expect(shown).toMatch(/^Wrong key: Bearer .{0,12}\[key\].{0,12}\.$/);
  });

  test("wherever it is, and nothing else", () => {
    const other = "no key here: sk-Ab, 100 %, a\\nb, &amp;, Zm9vYmFyYmF6";
    expect(conceal(other)).toBe(other);
    expect(conceal(`${key} and ${key}`)).toBe("[key] and [key]");
  });

  test("a short one as a whole", () => {
    expect(concealer("abc")('{"key":"abc","b":"ab"}')).toBe('{"key":"[key]","b":"ab"}');
    expect(concealer("")("text")).toBe("text");
    expect(concealer(undefined)("text")).toBe("text");
  });
});
