import { z } from "zod";
import { type Claim, defineVerifier } from "./define.js";
import { ignoreCaseField, plainText } from "./exact.js";

/** Characters at the end of a text that are searched: a pattern can take time that grows as their square. */
const searched = 4000;

const pattern = z
  .string()
  .min(1)
  .superRefine((given, { addIssue }) => {
    try {
      const groups = (new RegExp(`${given}|`).exec("")?.length ?? 1) - 1;
      if (groups > 1) {
        addIssue(`has ${groups} groups: the answer is one; write the others as (?:...)`);
      }
    } catch (error) {
      const reason = (error as Error).message.replace(/^.*: /, "");
      addIssue(`is no regular expression: ${reason}`);
    }
  })
  .describe(
    `A JavaScript regular expression. Its last match is the answer, or the one group in it. Only the last ${searched} characters of a text are searched; beware of repeated repetitions such as (a+)+, which can take forever even on few.`,
  );

/** What a pattern finds last in the completion is what it finds in the answer, or the answer itself. */
export const regexVerifier = defineVerifier({
  name: "regex",
  summary: "What a regular expression finds last is the answer, as text.",
  config: z.strictObject({ pattern, ignoreCase: ignoreCaseField }),
  verify({ answer, completion }: Claim, { pattern, ignoreCase }) {
    const expression = new RegExp(pattern, ignoreCase ? "gi" : "g");
    const given = lastMatch(completion, expression);
    const right = lastMatch(answer, expression) ?? answer;
    const text = { ignoreCase, whiteSpace: "trim" } as const;
    const correct = given !== undefined && plainText(given, text) === plainText(right, text);
    return { correct, answer: given };
  },
});

function lastMatch(text: string, expression: RegExp): string | undefined {
  const match = [...text.slice(-searched).matchAll(expression)].at(-1);
  return match?.[1] ?? match?.[0];
}
