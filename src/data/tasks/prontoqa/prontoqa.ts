import { z } from "zod";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawLength,
  drawStyle,
  styleField,
  type StepJudgement,
  type TaskSplit,
} from "../define.js";
import { restOf } from "../parts.js";
import { checkProof, isAnswer } from "./check-proof.js";
import { drawLogicProblem } from "./generate.js";
import { isSame, isTrue, type LogicProblem } from "./statement.js";
import { answerOf, label, logicAlphabet, read, writePrompt, writeSymbols } from "./text.js";
import { mistakes, styles, type Style, writeProof, writeWrongProof } from "./trace.js";

// So that every concept and property of the longest problem has a name of its own.
const hopLimit = 8;

const config = z
  .strictObject({
    minHops: z.int().min(1).default(1).describe("Fewest rules that a proof applies."),
    maxHops: z.int().min(1).default(3).describe("Most rules that a proof applies in training."),
    distractors: z
      .int()
      .min(0)
      .max(6)
      .default(2)
      .describe(
        "Rules that the proof does not need: the first says the opposite of another concept, others branch off the chain or stand beside it.",
      ),
    order: z
      .enum(["shuffled", "forward"])
      .default("shuffled")
      .describe("Order of the rules: any, or as the proof applies them."),
    wording: z
      .enum(["sentences", "symbols"])
      .default("sentences")
      .describe(
        'Prompt as sentences, "Every bumpus is a cumpus. Cumpuses are not red. Max is a bumpus. True or false: Max is red.", or as symbols, "A>B;B>!a;X:A;X:a?".',
      ),
    hidden: z
      .boolean()
      .default(false)
      .describe("Teachers that can be shown something hidden are shown the sentences in symbols."),
    style: styleField(styles, "full").describe(
      "What the oracle writes before the answer (a list: one of them at random): full, the fact, then a rule and its conclusion per hop; conclusions, without the rules; direct, nothing.",
    ),
    mistakes: z
      .array(z.enum(mistakes))
      .min(1)
      .default([...mistakes])
      .describe(
        'What goes wrong in wrong traces, one of these: negation, the last conclusion loses a "not" or gets one; leap, the same after some of the steps only; answer, a right proof with the wrong answer.',
      ),
    ...commonTaskFields,
  })
  .refine(({ minHops, maxHops }) => minHops <= maxHops, {
    message: "must not be smaller than minHops",
    path: ["maxHops"],
  })
  .refine(({ maxHops, longerBy }) => maxHops + longerBy <= hopLimit, {
    message: `maxHops + longerBy must not exceed ${hopLimit}`,
    path: ["longerBy"],
  })
  .refine(({ wording, hidden }) => !(hidden && wording === "symbols"), {
    message: "hides nothing where the prompt is in symbols already",
    path: ["hidden"],
  });

/**
 * Deduction over a made-up ontology, after Saparov & He 2023 (PrOntoQA): an entity is of a concept,
 * every concept is of the next, and the last has a property or lacks it; is a statement about that
 * true or false? {@link checkProof} judges proofs formally.
 *
 * Problems are in the same split where their rules and their query are the same.
 */
export const prontoqaTask = defineTask({
  name: "prontoqa",
  summary: "Decides by a chain of rules of a made-up ontology whether a statement is true.",
  config,
  alphabet: ({ wording, hidden }) => logicAlphabet(wording, hidden),
  generate(options, split, random): LogicProblem {
    const { minHops, maxHops, longerBy } = options;
    const draw = () => {
      const hops = drawLength(split, [minHops, maxHops], longerBy, random);
      return drawLogicProblem(hops, options, random);
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: writePrompt,
  answer: (problem: LogicProblem) => answerOf(problem),
  oracle(problem, { style, errorRate, mistakes: kinds }, random) {
    const isWrong = random.uniform() < errorRate;
    const drawn = drawStyle(style, random);
    if (!isWrong) return writeProof(problem, drawn);
    return writeWrongProof(problem, drawn, random.pick(kinds), random);
  },
  verify(problem, completion) {
    const given = readAnswer(completion);
    const answer = given === undefined ? undefined : label(given, problem.wording);
    return {
      correct: given === isTrue(problem),
      answer,
      traceCorrect: styles.some((style) => completion === writeProof(problem, style)),
    };
  },
  hidden: (problem, { hidden }) => (hidden ? writeSymbols(problem) : undefined),
  checkSteps,
  continueFrom: (problem, prefix, { style }, random) =>
    restOfProof(problem, prefix, drawStyle(style, random)),
});

function splitOf(
  { premises, query, proof }: LogicProblem,
  { maxHops, heldOutFraction }: { readonly maxHops: number; readonly heldOutFraction: number },
): TaskSplit {
  const hops = (proof.length - 1) / 2;
  const rules = premises.map((s) => `${s.subject}${s.negated ? "!" : ""}${s.predicate}`).sort();
  const asked = `${query.subject}${query.negated ? "!" : ""}${query.predicate}`;
  return assignSplit(hops > maxHops, `prontoqa:${rules.join(";")}?${asked}`, heldOutFraction);
}

/** True or false, as the last word or letter says it. */
function readAnswer(completion: string): boolean | undefined {
  const last = /(?:^|[\s.])(True|False|T|F)\.?$/.exec(completion)?.[1];
  return last === undefined ? undefined : last.startsWith("T");
}

/** Steps that follow by one rule at most, on a wrong branch too, are right; so is the right answer. */
function checkSteps(problem: LogicProblem, completion: string): StepJudgement[] {
  const steps = checkProof(problem, completion).steps.map(
    ({ start, end, label: found }): StepJudgement => {
      return { start, end, correct: found === "useful" || found === "misleading" };
    },
  );
  const [, answer = "", space = ""] = /(\S+)(\s*)$/.exec(completion) ?? [];
  if (!isAnswer(answer)) return steps;
  const end = completion.length - space.length;
  const correct = readAnswer(answer) === isTrue(problem);
  return [...steps, { start: end - answer.length, end, correct }];
}

/** What is left of the proof behind the last of its steps that the prefix has. */
function restOfProof(problem: LogicProblem, prefix: string, style: Style): string {
  const right = [style, ...styles].map((written) => writeProof(problem, written));
  if (right.some((proof) => proof.startsWith(prefix))) return restOf(right, prefix);
  const written = checkProof(problem, prefix).steps.flatMap(({ start, end, label: found }) => {
    const statement = read(prefix.slice(start, end));
    return statement !== undefined && found === "useful" ? [statement] : [];
  });
  const done = problem.proof.findLastIndex((step) => written.some((s) => isSame(s, step)));
  const rest = { proof: problem.proof.slice(done + 1), answer: isTrue(problem) };
  const text = writeProof(problem, style, rest);
  return prefix === "" || prefix.endsWith("\n") ? text : `\n${text}`;
}
