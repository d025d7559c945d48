import { z } from "zod";

const pattern = (what: string) =>
  z
    .string()
    .refine(isPattern, "is not a regular expression")
    .optional()
    .describe(`Regular expression that ${what} contains a match of.`);

/** When a row goes to a teacher; all that is given must match. */
export const routeRuleSchema = z
  .strictObject({
    prompt: pattern("the text of the prompt"),
    id: pattern("the name of the row in its data, such as train.jsonl:12,"),
  })
  .refine(({ prompt, id }) => prompt !== undefined || id !== undefined, {
    message: "give `prompt`, `id` or both",
  });
export type RouteRule = z.output<typeof routeRuleSchema>;

/** What rules can ask about a row. */
export interface RoutedRow {
  readonly prompt: string;
  readonly id?: string | undefined;
}

/** Whether a row falls under a rule; without a rule every row does, without a name none by name. */
export function matchesRule(rule: RouteRule | undefined, { prompt, id }: RoutedRow): boolean {
  const matches = (source: string | undefined, text: string | undefined) =>
    source === undefined || (text !== undefined && new RegExp(source, "u").test(text));
  return matches(rule?.prompt, prompt) && matches(rule?.id, id);
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
