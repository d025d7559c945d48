import { deflateSync, inflateSync, strFromU8, strToU8 } from "fflate";
import { isObject, type Json, type JsonObject, type Settings, withValue } from "./settings.js";

/** Format of the addresses: the last word says that nothing was cut off. */
const version = "2";
const end = "@end";

/** A text in an address may become this long. */
const longestText = 2 ** 21;

/**
 * The part of an address after `#` that holds settings: every field of the config by its path, as in words of
 * `pupil train`, so that a link says the same whatever the page's defaults become. Long texts are packed.
 */
export function toAddress({ config, text, second, ownLoss }: Settings): string {
  const words = new URLSearchParams({ v: version });
  for (const [path, value] of leaves(config)) words.append(path, written(value));
  if (text !== undefined) words.append("@text", "sample" in text ? text.sample : packed(text.own));
  for (const [path, value] of Object.entries(second ?? {})) {
    words.append(`@second.${path}`, JSON.stringify(value));
  }
  if (ownLoss !== undefined) words.append("@loss", packed(ownLoss));
  words.append(end, "");
  // Readable where an address allows it.
  return words.toString().replaceAll("%40", "@").replaceAll("%2C", ",").replaceAll("%3A", ":");
}

/**
 * Settings of an address; undefined where it holds none.
 *
 * @throws Error in words for an address that cannot be read
 */
export function fromAddress(address: string): Settings | undefined {
  const words = new URLSearchParams(address.replace(/^#/, ""));
  const given = words.get("v");
  if (given === null) return undefined;
  if (given !== version) throw new Error(`It is of another version of this page (v=${given}).`);
  if ([...words.keys()].at(-1) !== end) {
    throw new Error("Its end is missing: it was cut off, as some programs do with long links.");
  }
  words.delete("v");
  words.delete(end);
  let config: Json = {};
  const second: Record<string, Json> = {};
  let text: Settings["text"];
  let ownLoss: string | undefined;
  const take = (path: string, value: string) => {
    if (path === "@text") {
      text = value.startsWith(mark) ? { own: unpacked(value) } : { sample: value };
    } else if (path === "@loss") ownLoss = unpacked(value);
    else if (path.startsWith("@second.")) {
      const field = path.slice("@second.".length);
      second[field] = JSON.parse(value) as Json;
      // The field is one that a config can have.
      withValue({}, field, null);
    } else config = withValue(config, path, read(value));
  };
  for (const [path, value] of words) {
    try {
      take(path, value);
    } catch (error) {
      const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value;
      throw new Error(`${path} = ${shown}: ${(error as Error).message}`);
    }
  }
  return {
    config: config as JsonObject,
    ...(text && { text }),
    ...(Object.keys(second).length > 0 && { second }),
    ...(ownLoss !== undefined && { ownLoss }),
  };
}

/** What is no object and no list, and what is empty, by its path. */
function leaves(value: Json, path = ""): [string, Json][] {
  const parts = Array.isArray(value) || isObject(value) ? Object.entries(value as JsonObject) : [];
  if (parts.length === 0) return path === "" ? [] : [[path, value]];
  return parts.flatMap(([key, part]) => leaves(part, path === "" ? key : `${path}.${key}`));
}

/** Texts as they are, unless they would be read as something else. */
function written(value: Json): string {
  const json = JSON.stringify(value);
  return typeof value === "string" && read(value) === value ? value : json;
}

function read(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const mark = "z:";

function packed(text: string): string {
  const bytes = deflateSync(strToU8(text), { level: 9 });
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return mark + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unpacked(word: string): string {
  const base64 = word.slice(mark.length).replaceAll("-", "+").replaceAll("_", "/");
  let text: Uint8Array;
  try {
    if (!word.startsWith(mark)) throw new Error(`It does not begin with ${mark}`);
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    // One byte more than is allowed, so that a longer text is seen to be one.
    text = inflateSync(bytes, { out: new Uint8Array(longestText + 1) });
  } catch (cause) {
    throw new Error("what is packed in it is damaged.", { cause });
  }
  if (text.length > longestText) throw new Error("The text of this link is too long.");
  return strFromU8(text);
}
