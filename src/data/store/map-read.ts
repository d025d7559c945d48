import type { TokenWords } from "./token-words.js";

/** Maps what a store gave: at once where all of it was in memory, else as a promise. */
export function mapRead<R>(
  parts: readonly (TokenWords | Promise<TokenWords>)[],
  map: (part: TokenWords) => R,
): R[] | Promise<R[]> {
  return parts.every((part) => !(part instanceof Promise))
    ? (parts as TokenWords[]).map(map)
    : Promise.all(parts.map(async (part) => map(await part)));
}
