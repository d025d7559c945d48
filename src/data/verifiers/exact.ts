import { z } from "zod";
import { type Claim, defineVerifier } from "./define.js";

const whiteSpaces = ["trim", "collapse", "ignore", "keep"] as const;

/** How two texts are compared. */
export interface TextOptions {
  readonly ignoreCase: boolean;
  readonly whiteSpace: (typeof whiteSpaces)[number];
}

export const ignoreCaseField = z
  .boolean()
  .default(false)
  .describe("Capital and small letters are the same.");

/** The whole completion is the answer. */
export const exactVerifier = defineVerifier({
  name: "exact",
  summary: "The whole completion is the answer, as text.",
  config: z.strictObject({
    ignoreCase: ignoreCaseField,
    whiteSpace: z
      .enum(whiteSpaces)
      .default("trim")
      .describe(
        "White space at both ends does not count (trim), and runs of it are one space (collapse); none of it counts (ignore), or all (keep).",
      ),
  }),
  verify({ answer, completion }: Claim, options) {
    const correct = plainText(completion, options) === plainText(answer, options);
    return { correct, answer: options.whiteSpace === "keep" ? completion : completion.trim() };
  },
});

/** What is left of a text to compare. */
export function plainText(text: string, { ignoreCase, whiteSpace }: TextOptions): string {
  const spaced = {
    keep: () => text,
    trim: () => text.trim(),
    collapse: () => text.trim().replace(/\s+/g, " "),
    ignore: () => text.replace(/\s+/g, ""),
  }[whiteSpace]();
  return ignoreCase ? spaced.toLowerCase() : spaced;
}
