import { z } from "zod";
import { type Claim, defineVerifier } from "./define.js";
import { isSameNumber, numberOf, toleranceFields } from "./read-number.js";

/** The whole completion is one number, and that of the answer. */
export const numberVerifier = defineVerifier({
  name: "number",
  summary: "The whole completion is one number: 1,234.5, -3, 3/4, $5 or 50%.",
  config: z.strictObject(toleranceFields),
  verify({ answer, completion }: Claim, tolerance) {
    const given = numberOf(completion);
    const right = numberOf(answer);
    if (given === undefined || right === undefined) return { correct: false, answer: given };
    return { correct: isSameNumber(given, right, tolerance), answer: given };
  },
});
