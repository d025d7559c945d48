import { z } from "zod";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  higher,
  rateField,
  rowsOf,
  stepsField,
  tracesStage,
  trainStage,
  withPrefix,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const marks = { predict: "%", explain: "§", rationale: "¤" };

const repeatField = (of: string) =>
  z.int().min(1).default(1).describe(`Weight of ${of}: times that its rows are learned.`);

/** One student, several teachers, each with a view of its own beside that of the bare answer. */
export const tinyllm = defineMethod({
  number: 17,
  name: "tinyllm",
  title: "TinyLLM: Learning a Small Student from Multiple Large Language Models",
  paper: { citation: "Tian et al., WSDM 2025", url: "https://arxiv.org/abs/2402.04616" },
  claim:
    "A student that is asked for the bare answer is right more often if it learned a teacher's rationales in a view beside it, more often still with two teachers, and loses by having both without marks of their views.",
  fidelity: "faithful",
  note: "The teachers are two styles of the task's solver. Weights of views are repeated rows.",
  settings: z.strictObject({
    ...baseSettings({
      problems: additionProblems(2, { minDigits: 1 }),
      batchSize: 32,
      evaluateEvery: 250,
    }),
    first: z.string().default("scratchpad").describe("[REC] Style of the first teacher."),
    second: z.string().default("carries").describe("[REC] Style of the second."),
    answerWeight: repeatField("the answer, γ"),
    firstWeight: repeatField("the first teacher's rationales, α"),
    secondWeight: repeatField("the second teacher's rationales, β"),
    traceProblems: countField(1000, "the teachers solve"),
    steps: stepsField(500, "every arm"),
    learningRate: rateField(3e-3, "every arm"),
  }),
  paperSettings: {
    answerWeight: { value: 1, source: "SRC" },
    firstWeight: { value: "1, in an example 2", source: "SRC" },
    secondWeight: { value: "1, in an example 2", source: "SRC" },
    learningRate: { value: 5e-5, source: "SRC" },
    batchSize: { value: "8 × 8", source: "SRC" },
    views: { value: "a word for each of three views", source: "SRC", here: "a character" },
  },
  needs: ["solve"],
  arms(s) {
    const answer = { completion: "answer", repeat: s.answerWeight };
    const first = { sources: [`oracle ${s.first}`], repeat: s.firstWeight };
    const second = { sources: [`oracle ${s.second}`], repeat: s.secondWeight };
    const arm = (views: readonly object[], prefix: string = marks.predict) => [
      tracesStage("views", s, {
        ...{ count: s.traceProblems, sampler: { type: "oracle", styles: [s.first, s.second] } },
        steps: [{ type: "correct" }, { type: "multi-view", views }],
      }),
      trainStage("sft", s, {
        student: freshStudent(s.student),
        tokenizer: { type: "character", characters: Object.values(marks).join("") },
        data: rowsOf("views"),
        trainer: {
          ...{ type: "sft", steps: s.steps, learningRate: s.learningRate },
          ...{ schedule: "cosine", warmupSteps: 10 },
        },
        evaluation: { data: withPrefix(s.problems, prefix) },
      }),
    ];
    const predict = { ...answer, prefix: marks.predict };
    const explain = { ...first, prefix: marks.explain };
    const rationale = { ...second, prefix: marks.rationale };
    return {
      "answer only": arm([predict]),
      "one teacher": arm([predict, explain]),
      "two teachers": arm([predict, explain, rationale]),
      "two without views": arm([answer, first, second], ""),
    };
  },
  baseline: "answer only",
  comparisons: [
    higher(metric, "one teacher"),
    higher(metric, "two teachers", "one teacher"),
    higher(metric, "two teachers", "two without views"),
  ],
  metrics: [metric, "longer.accuracy", "heldOut.meanLength"],
  fairness: {
    equal: "steps",
    note: "The same problems, and as many steps of as many rows in all arms: with more views fewer of them are of the bare answer.",
  },
});
