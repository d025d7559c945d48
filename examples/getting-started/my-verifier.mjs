import { defineVerifier } from "pupil";
import { z } from "zod";

/** Right if it says the same words as the answer, in any order: "red, blue" is "blue red". */
export const sameWords = defineVerifier({
  name: "same-words",
  summary: "The words of the answer, in any order.",
  config: z.strictObject({
    ignoreCase: z.boolean().default(true).describe("Whether capitals count as small letters."),
  }),
  verify({ answer, completion }, { ignoreCase }) {
    const wordsOf = (text) =>
      (ignoreCase ? text.toLowerCase() : text).match(/\w+/g)?.sort().join(" ");
    const given = wordsOf(completion);
    return { correct: given !== undefined && given === wordsOf(answer), answer: given };
  },
});
