import { PupilError } from "../../errors/index.js";

/** @throws PupilError if the text has half of a surrogate pair, which no tokenizer has an id for */
export function assertWellFormed(text: string): void {
  const position = text.search(/\p{Surrogate}/u);
  if (position < 0) return;
  throw new PupilError(`The text has half of a surrogate pair at position ${position}.`, {
    value: text.slice(position, position + 1),
    remedy: "It is not valid Unicode: repair the text where it is made or cut.",
  });
}
