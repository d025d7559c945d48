import { PupilError } from "../../errors/index.js";
import type { Tokenizer } from "../types.js";
import { isTokenId } from "./vocabulary.js";

/**
 * The ids themselves, once each is known to be an id of the tokenizer: a store would keep anything else
 * as another number. Any object can be a tokenizer, so what it gives is looked at.
 *
 * @throws PupilError naming the first that is none
 */
export function checkedIds<Ids extends readonly number[]>(
  ids: Ids,
  { vocabSize }: Pick<Tokenizer, "vocabSize">,
): Ids {
  for (let i = 0; i < ids.length; i++) {
    if (isTokenId(ids[i], vocabSize)) continue;
    throw new PupilError(`The tokenizer gave ${String(ids[i])} as token ${i} of a text.`, {
      field: "tokenizer",
      value: ids[i] ?? null,
      remedy: `Ids are whole numbers from 0 to ${vocabSize - 1}: mend its encode, startIds or endIds, or its vocabSize.`,
    });
  }
  return ids;
}
