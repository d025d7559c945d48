import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { rewritten } from "../rewrite.js";
import { piecesOf } from "../steps.js";
import { defineTraceStep } from "../trace.js";

const rule = z.strictObject({
  skill: z.string().describe("Name of the skill."),
  pattern: z.string().describe("Regular expression that lines of this skill match."),
  action: z
    .enum(["keep", "delete", "once"])
    .describe("Keep such lines, delete them, or keep one of those that stand together or repeat."),
});

/** Fits the traces of the task chain. [REC] The paper's labels are a teacher's. */
const usualRules: z.output<typeof rule>[] = [
  { skill: "verify", pattern: "^check ", action: "once" },
  { skill: "restate", pattern: "^\\w+ ?= ?\\w+ ?[-+*] ?\\w+$", action: "delete" },
  { skill: "compute", pattern: "=", action: "keep" },
];

/**
 * Labels every line with the first skill whose pattern it matches, and prunes by the skill's action.
 * A line that is taken back goes with what takes it back. A trace whose verdict would change stays as it is.
 */
export const skillPruneTransform = defineTraceStep({
  name: "skill-prune",
  kind: "transform",
  summary: "Labels the lines of traces with skills and deletes what is superfluous.",
  reference: "DRP: Distilled Reasoning Pruning, split_verify.py",
  config: z.strictObject({
    skills: z
      .array(rule)
      .min(1)
      .default(usualRules)
      .describe("Skills, in the order they are tried."),
    takenBack: z
      .string()
      .default("wait")
      .describe("The line that takes back the one before it; both are deleted."),
  }),
  apply(traces, { skills, takenBack }, context) {
    const rules = skills.map(({ pattern, action }, i) => ({
      action,
      pattern: compiled(pattern, `skill-prune: skills.${i}.pattern`),
    }));
    return traces.map((trace) => {
      const kept: string[] = [];
      const seen = new Set<unknown>();
      for (const { text } of piecesOf(trace.completion)) {
        if (text === takenBack) kept.pop();
        else {
          const found = rules.find(({ pattern }) => pattern.test(text));
          const isSeen = found !== undefined && seen.has(found);
          const isDeleted = found?.action === "delete" || (found?.action === "once" && isSeen);
          if (!isDeleted) kept.push(text);
          if (found !== undefined) seen.add(found);
        }
      }
      const text = kept.join("\n");
      const pruned = rewritten(trace, text, context);
      const isSame = text === trace.completion || pruned.correct !== trace.correct;
      return isSame ? trace : { ...pruned, finished: trace.finished };
    });
  },
});

function compiled(pattern: string, field: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new PupilError(`is no regular expression: ${(cause as Error).message}.`, {
      field,
      value: pattern,
      cause,
    });
  }
}
