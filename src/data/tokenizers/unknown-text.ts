import { PupilError } from "../../errors/index.js";
import type { TokenizerEngine } from "./engine/engine.js";
import { assertWellFormed } from "./well-formed.js";

/**
 * `encode` of a tokenizer that loses no text silently.
 *
 * @param allowsUnknown the unknown token is an id like any other
 * @returns ids of a text; throws a PupilError that names what has no id of its own
 */
export function losslessEncoder(
  engine: TokenizerEngine,
  allowsUnknown: boolean,
): (text: string) => number[] {
  const { unknownId } = engine;
  const idsOf = (text: string): number[] | undefined => {
    let isLost = false;
    const ids = engine.encode(text, () => {
      isLost = true;
    });
    const isUnknown = !allowsUnknown && unknownId !== undefined && ids.includes(unknownId);
    return isLost || isUnknown ? undefined : ids;
  };
  return (text) => {
    assertWellFormed(text);
    const ids = idsOf(text);
    if (ids === undefined) throw unknownText(text, (part) => idsOf(part) === undefined);
    return ids;
  };
}

function unknownText(text: string, isUnknown: (part: string) => boolean): PupilError {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const word = words.find(isUnknown) ?? text.slice(0, 40);
  const character = Array.from(word).find(isUnknown);
  const where =
    character === undefined || character === word ? "" : ` (in ${JSON.stringify(word)})`;
  return new PupilError(
    `The tokenizer has no token for ${JSON.stringify(character ?? word)}${where}.`,
    { value: word, remedy: "Remove the text, or take a tokenizer with byte fallback." },
  );
}
