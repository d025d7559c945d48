import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import type { BackwardProblem } from "../../problems/index.js";
import { byProblem } from "../choose.js";
import { fillTemplate } from "../../templates/index.js";
import { defineTraceStep, type Trace } from "../trace.js";

/**
 * The three tasks of reverse thinking: to solve; to ask, given the answer, for what was given; and to
 * answer that. Problems that cannot be turned round are left out; if none can, it is an error.
 */
export const backwardTransform = defineTraceStep({
  name: "backward",
  kind: "transform",
  summary: "Adds the question turned round, and its solution, to every problem's traces.",
  reference: "Reverse Thinking Makes LLMs Stronger Reasoners, augment_data.py",
  config: z.strictObject({
    views: z
      .array(z.enum(["forward", "question", "backward"]))
      .min(1)
      .default(["forward", "question", "backward"])
      .describe(
        "Rows: the trace; the backward question to the problem and its answer; its solution.",
      ),
    question: z
      .string()
      .default("{prompt}{answer}§")
      .describe("Prompt that asks for a backward question: {prompt} and {answer}."),
    backward: z.string().default("{question}").describe("Prompt of the backward question."),
  }),
  apply(traces, { views, question, backward }, context) {
    const { backward: turnRound, name } = context.problems;
    if (turnRound === undefined) {
      throw new PupilError(`${name} cannot turn its questions round.`, {
        field: "backward",
        value: name,
        remedy: "The tasks addition and chain can, as can one of your own with backward.",
      });
    }
    const rows = byProblem(traces).flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const turned = turnRound(first.problem, context.random.stream("backward", first.problem.id));
      if (turned === undefined) return [];
      const row = (prompt: string, completion: string, of: BackwardProblem): Trace => ({
        ...{ problem: { ...first.problem, answer: of.answer }, prompt, completion },
        ...{ finished: true, correct: true, answer: of.answer, source: "backward" },
        tokens: context.countTokens(completion),
      });
      const asked = { prompt: first.prompt, answer: first.problem.answer };
      const made = {
        forward: group,
        question: [row(fillTemplate(question, asked, "backward: question"), turned.prompt, turned)],
        backward: [
          row(
            fillTemplate(backward, { question: turned.prompt }, "backward: backward"),
            turned.completion,
            turned,
          ),
        ],
      };
      return views.flatMap((view) => made[view]);
    });
    return rows;
  },
});
