import { compileTemplate } from "../../src/data/chat/jinja/index.js";
import { parseJson } from "../../src/data/readers/written-number.js";
import { type Comparison, Tally } from "./comparison.js";

interface Made {
  readonly variables: string;
  /** A text, or null and what Python says. */
  readonly cases: readonly { template: string; text: string | null; error?: string }[];
}

/** That of make-chat-fixtures.py. */
const clock = () => new Date(2026, 2, 7, 9, 5, 2);

export function compareTemplates(made: string): Comparison {
  const { variables, cases } = JSON.parse(made) as Made;
  const tally = new Tally();
  for (const { template, text, error } of cases) {
    let here: string;
    try {
      const messages = [{ role: "user", content: "hi" }];
      const given = { tools: null, documents: null, add_generation_prompt: false, messages };
      const own = parseJson(variables) as Record<string, unknown>;
      here = compileTemplate(template, clock)({ ...given, ...own }).text;
    } catch (refusal) {
      if (text === null) tally.same += 1;
      else tally.refuse(refusal);
      continue;
    }
    if (here === text) tally.same += 1;
    else tally.differ(JSON.stringify(template), text ?? error, here, "");
  }
  return tally;
}
