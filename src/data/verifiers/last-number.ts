import { z } from "zod";
import { type Claim, defineVerifier } from "./define.js";
import { isSameNumber, lastNumberIn, toleranceFields } from "./read-number.js";

/** The last number of the completion is the last number of the answer. */
export const lastNumberVerifier = defineVerifier({
  name: "last-number",
  summary: "The last number in the completion is that of the answer.",
  config: z.strictObject(toleranceFields),
  verify({ answer, completion }: Claim, tolerance) {
    const given = lastNumberIn(completion);
    const right = lastNumberIn(answer);
    if (given === undefined || right === undefined) return { correct: false, answer: given };
    return { correct: isSameNumber(given, right, tolerance), answer: given };
  },
});
