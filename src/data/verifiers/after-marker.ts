import { z } from "zod";
import { type Claim, defineVerifier } from "./define.js";
import { ignoreCaseField, plainText } from "./exact.js";
import { isSameNumber, numberOf, toleranceFields } from "./read-number.js";

/**
 * What stands behind the last marker, up to the end of its line. The answer may be a worked solution
 * with the marker, as in GSM8K, or the bare answer. Two numbers are compared as numbers (`1,000` is
 * `1000`), all else as text.
 */
export const afterMarkerVerifier = defineVerifier({
  name: "after-marker",
  summary: "What stands behind a marker such as #### is the answer, as a number or as text.",
  config: z.strictObject({
    marker: z
      .string()
      .min(1)
      .default("####")
      .describe("The last one counts, and what follows it in its line."),
    ignoreCase: ignoreCaseField,
    ...toleranceFields,
  }),
  verify({ answer, completion }: Claim, { marker, ignoreCase, ...tolerance }) {
    const given = behind(completion, marker);
    const right = behind(answer, marker) ?? answer.trim();
    if (given === undefined) return { correct: false, answer: undefined };
    const numbers = [numberOf(given), numberOf(right)] as const;
    const text = { ignoreCase, whiteSpace: "collapse" } as const;
    const correct =
      numbers[0] !== undefined && numbers[1] !== undefined
        ? isSameNumber(numbers[0], numbers[1], tolerance)
        : plainText(given, text) === plainText(right, text);
    return { correct, answer: given };
  },
});

function behind(text: string, marker: string): string | undefined {
  const at = text.lastIndexOf(marker);
  if (at < 0) return undefined;
  const [line = ""] = text.slice(at + marker.length).split("\n", 1);
  return line.trim() === "" ? undefined : line.trim();
}
