import { z } from "zod";
import { Random } from "../../../tensors/index.js";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawStyle,
  styleField,
  type TaskSplit,
} from "../define.js";
import { judgeParts, partsOf, restOf } from "../parts.js";
import {
  factsOf,
  letters,
  styles,
  type Style,
  type TableProblem,
  tableAlphabet,
  writePrompt,
  writeTrace,
} from "./text.js";
import { attributeCount, drawWorld, pathOf, relationCount, valueAt, valueKinds } from "./world.js";

export type { TableProblem } from "./text.js";

const mistakes = ["hop", "relation", "letter"] as const;
type MistakeKind = (typeof mistakes)[number];

const config = z.strictObject({
  entities: z.int().min(4).max(20).default(6).describe("Entities that the table has."),
  table: z
    .enum(["given", "known"])
    .default("given")
    .describe(
      "Whether every prompt tells all facts of a table of its own (given), or all problems are about one table that a student has to know by heart (known).",
    ),
  world: z
    .int()
    .min(0)
    .default(1)
    .describe("Seed of the one table that is known; another one has other facts."),
  wording: z
    .enum(["sentences", "symbols"])
    .default("symbols")
    .describe(
      "Facts and question as \"ann's friend = bob;bob's hat = red;ann's friend's hat?\" or as \"a.u=b;b.w=3;a.u.w?\"; the options follow.",
    ),
  style: styleField(styles, "options").describe(
    "What the oracle writes before the letter (a list: one of them at random): options, the facts that answer the question, then every option with = or !; facts, only those; direct, nothing.",
  ),
  mistakes: z
    .array(z.enum(mistakes))
    .min(1)
    .default([...mistakes])
    .describe(
      "What goes wrong in wrong traces, one of these: hop, the attribute of the first entity is taken; relation, the first relation is taken for the other one; letter, the right value with a wrong letter. Where the first two give the right value or none of the options, the letter is wrong.",
    ),
  ...commonTaskFields,
});

/**
 * Two-hop questions over a table of relations, with four options: the attribute of whoever stands in
 * a relation to an entity. A longer problem has a relation more. One of the wrong options is the
 * attribute of the entity itself, where that is another.
 *
 * Problems are in the same split where the question and the facts that answer it are the same.
 */
export const kb2Task = defineTask({
  name: "kb2",
  summary: "Answers two-hop questions over a table of relations, with four options.",
  config,
  alphabet: ({ wording }) => tableAlphabet(wording),
  generate(options, split, random): TableProblem {
    const { entities, longerBy, table, wording } = options;
    const known = drawWorld(entities, new Random(options.world).stream("kb2"));
    const draw = (): TableProblem => {
      const world = table === "known" ? known : drawWorld(entities, random);
      const hops = split === "longer" ? 1 + 1 + random.integer(longerBy) : 1;
      const question = {
        subject: random.integer(entities),
        relations: Array.from({ length: hops }, () => random.integer(relationCount)),
        attribute: random.integer(attributeCount),
      };
      const problem = { world, question, options: [], wording, table };
      return { ...problem, options: drawOptions(problem, entities, random) };
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: writePrompt,
  answer: rightLetter,
  oracle(problem, { style, errorRate, mistakes: kinds }, random) {
    const isWrong = random.uniform() < errorRate;
    const drawn = drawStyle(style, random);
    if (!isWrong) return rightTrace(problem, drawn);
    return writeTrace(problem, drawn, mistaken(problem, random.pick(kinds), random));
  },
  verify(problem, completion) {
    const given = /(?:^|\s)([ABCD])$/.exec(completion)?.[1];
    return {
      correct: given === rightLetter(problem),
      answer: given,
      traceCorrect: styles.some((style) => completion === rightTrace(problem, style)),
    };
  },
  checkSteps(problem, completion) {
    const parts = partsOf(completion, /[^\n]+/g);
    const hasOptions = /^[ABCD][=!]/m.test(completion);
    const style = hasOptions ? "options" : parts.length > 1 ? "facts" : styleOfOne(completion);
    const trace = rightTrace(problem, style);
    return judgeParts(completion, trace, /[^\n]+/g);
  },
  continueFrom(problem, prefix, { style }, random) {
    const preferred = drawStyle(style, random);
    return restOf(
      [preferred, ...styles].map((written) => rightTrace(problem, written)),
      prefix,
    );
  },
});

/** A letter alone is an answer, and a fact alone the beginning of a trace. */
function styleOfOne(line: string): Style {
  return /^[ABCD]$/.test(line.trim()) ? "direct" : "facts";
}

function rightValue({ world, question }: TableProblem): number {
  return valueAt(world, pathOf(world, question).at(-1) as number, question.attribute);
}

function rightLetter(problem: TableProblem): string {
  return letters[problem.options.indexOf(rightValue(problem))] as string;
}

function rightTrace(problem: TableProblem, style: Style): string {
  return writeTrace(problem, style, {
    facts: factsOf(problem),
    value: rightValue(problem),
    letter: rightLetter(problem),
  });
}

/** The right value, what one gets without a hop, and others; in random order. */
function drawOptions(problem: TableProblem, entities: number, random: Random): number[] {
  const { world, question } = problem;
  const own = valueAt(world, question.subject, question.attribute);
  const all = random.permutation(valueKinds(entities));
  const four = [...new Set([rightValue(problem), own, ...all])].slice(0, letters.length);
  return Array.from(random.permutation(four.length), (i) => four[i] as number);
}

function mistaken(problem: TableProblem, kind: MistakeKind, random: Random) {
  const { question, options } = problem;
  const [first = 0, ...others] = question.relations;
  const changed = {
    hop: { ...question, relations: others },
    relation: { ...question, relations: [1 - first, ...others] },
    letter: question,
  }[kind];
  const wrong = { ...problem, question: changed };
  const value = rightValue(wrong);
  const letter = letters[options.indexOf(value)];
  if (letter !== undefined && value !== rightValue(problem)) {
    return { facts: factsOf(wrong), value, letter };
  }
  const right = rightLetter(problem);
  const wrongLetter = random.pick(letters.filter((other) => other !== right));
  return { facts: factsOf(problem), value: rightValue(problem), letter: wrongLetter };
}

function splitOf(
  problem: TableProblem,
  { heldOutFraction }: { readonly heldOutFraction: number },
): TaskSplit {
  const { question } = problem;
  const facts = factsOf({ ...problem, wording: "symbols" }).join(";");
  return assignSplit(question.relations.length > 1, `kb2:${facts}`, heldOutFraction);
}
