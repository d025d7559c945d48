import { PupilError } from "../../../errors/index.js";
import { isObject, type JsonObject, type Vocabulary } from "../vocabulary.js";
import { maskNewCharacters } from "./characters.js";
import { type Place, unfaithful } from "./part.js";

/** A token that is found in the text itself, before any model sees it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Skipped when text is decoded without special tokens. */
  readonly special: boolean;
  /** Only where no character of a word touches it. */
  readonly singleWord: boolean;
  /** Takes the white space before it along, or after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text, itself normalized; otherwise in the text as given. */
  readonly normalized: boolean;
}

/** A part of a text: an added token, or what is left for the model. */
export interface AddedPart {
  readonly text: string;
  readonly id?: number;
}

/** The added tokens of a `tokenizer.json`, which must have the ids that the original gives them. */
export function readAddedTokens(
  json: unknown,
  { modelIds, modelTokens }: Vocabulary,
  source: string,
): AddedToken[] {
  const list = Array.isArray(json) ? (json as JsonObject[]) : [];
  const found = new Map<string, AddedToken>();
  let nextId = Math.max(modelIds.size, modelTokens.size);
  for (const [i, entry] of list.entries()) {
    const place: Place = { source, path: `added_tokens[${i}]` };
    const token = readToken(entry, place);
    if (token.content === "") continue;
    // Ids of the file are a check there: a token that the model lacks gets the next free one.
    const id = found.get(token.content)?.id ?? modelIds.get(token.content) ?? nextId++;
    if (id !== token.id) {
      throw new PupilError(
        `has the id ${token.id}, but Hugging Face's tokenizers gives ${JSON.stringify(token.content)} the id ${id}, whatever the file says.`,
        {
          field: `${source}: added_tokens[${i}].id`,
          value: token.id,
          remedy: "Save the tokenizer again with that library, so that file and ids agree.",
        },
      );
    }
    found.set(token.content, token);
  }
  return [...found.values()];
}

const flags = ["special", "single_word", "lstrip", "rstrip", "normalized"] as const;

function readToken(entry: unknown, place: Place): AddedToken {
  const token = isObject(entry) ? entry : {};
  const odd = Object.entries(token).find(
    ([key, value]) =>
      !(flags.some((flag) => flag === key)
        ? typeof value === "boolean"
        : key === "id" || key === "content"),
  );
  if (odd !== undefined) throw unfaithful({ ...place, path: `${place.path}.${odd[0]}` }, odd[1]);
  return {
    id: token.id as number,
    content: token.content as string,
    special: token.special === true,
    singleWord: token.single_word === true,
    lstrip: token.lstrip === true,
    rstrip: token.rstrip === true,
    normalized: token.normalized === undefined ? token.special !== true : token.normalized === true,
  };
}

/**
 * Cuts a text at tokens: at the leftmost, and of several there at the longest. One that is refused as
 * part of a word is text, without a look at shorter ones. Source: tokenizers, added_vocabulary.rs.
 *
 * @param patterns what stands in the text for each token
 */
export function tokenFinder(
  tokens: readonly AddedToken[],
  patterns: readonly string[] = tokens.map(({ content }) => content),
): (text: string) => AddedPart[] {
  const byFirst = new Map<string, { token: AddedToken; pattern: string }[]>();
  for (const [i, token] of tokens.entries()) {
    const pattern = patterns[i] as string;
    const first = pattern.slice(0, 1);
    byFirst.set(first, [...(byFirst.get(first) ?? []), { token, pattern }]);
  }
  if (byFirst.size === 0) return (text) => [{ text }];
  for (const list of byFirst.values()) list.sort((a, b) => b.pattern.length - a.pattern.length);
  // UTF-16 units: the first half of a surrogate pair is enough to look closer.
  const unit = (first: string) => `\\u${first.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const firsts = new RegExp(`[${[...byFirst.keys()].map(unit).join("")}]`, "g");

  return (text) => {
    const parts: AddedPart[] = [];
    let done = 0;
    firsts.lastIndex = 0;
    for (let found = firsts.exec(text); found !== null; found = firsts.exec(text)) {
      const at = found.index;
      const match = byFirst.get(found[0])?.find(({ pattern }) => text.startsWith(pattern, at));
      if (match === undefined) continue;
      const after = at + match.pattern.length;
      firsts.lastIndex = after;
      const { token } = match;
      if (token.singleWord && (endsWord(text.slice(0, at)) || startsWord(text.slice(after))))
        continue;
      const start = token.lstrip ? Math.max(done, lastText(text, at)) : at;
      const end = token.rstrip ? after + leadingSpace(text.slice(after)) : after;
      if (done < start) parts.push({ text: text.slice(done, start) });
      // A token of white space that the one before took along is there once, not twice.
      if (start < end) parts.push({ text: text.slice(start, end), id: token.id });
      done = end;
    }
    if (done < text.length) parts.push({ text: text.slice(done) });
    return parts;
  };
}

const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const wordAtStart = new RegExp(`^${word}`, "u");
const wordAtEnd = new RegExp(`${word}$`, "u");

const startsWord = (text: string) => wordAtStart.test(maskNewCharacters(text.slice(0, 2)));
const endsWord = (text: string) => wordAtEnd.test(maskNewCharacters(text.slice(-2)));
const leadingSpace = (text: string) => /^\p{White_Space}*/u.exec(text)?.[0].length ?? 0;

/** Where the white space before a place begins. */
function lastText(text: string, before: number): number {
  let at = before;
  while (at > 0 && /\p{White_Space}/u.test(text.charAt(at - 1))) at -= 1;
  return at;
}
