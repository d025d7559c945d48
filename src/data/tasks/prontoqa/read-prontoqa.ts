import { z } from "zod";
import { PupilError, showValue } from "../../../errors/index.js";
import type { Problem } from "../../problems/problem.js";
import { isSame, type LogicProblem, negate, type Statement } from "./statement.js";
import { answerOf, read } from "./text.js";

const sentences = z.array(z.string()).min(1);

/** What the generator of PrOntoQA writes: examples by name. */
const generated = z.record(
  z.string(),
  z.looseObject({
    test_example: z.looseObject({
      question: z.string(),
      query: z.string(),
      chain_of_thought: sentences,
      answer: z.enum(["True", "False"]),
    }),
  }),
);

/** What Logic-LLM ships: a list with two options. */
const options = z.array(
  z.looseObject({
    id: z.string(),
    context: z.string(),
    question: z.string(),
    answer: z.enum(["A", "B"]),
    explanation: sentences,
  }),
);

/**
 * The problems of a PrOntoQA file, as its generator (Saparov & He 2023) or Logic-LLM (Pan et al.
 * 2023) writes it, worded as the task `prontoqa` words its own. Their `value` is a problem of that
 * task, so that it can verify them and check their steps.
 *
 * @param json the file, parsed
 * @param name of the file, for the problems' ids and for messages
 * @throws PupilError naming the example, for what is in neither form, and for sentences, proofs or
 * answers that are not what they should be
 */
export function readProntoqa(json: unknown, name: string): Problem[] {
  const examples = examplesOf(json, name);
  return examples.map(({ id, ...example }) => {
    const field = `${name}: ${id}`;
    const value = problemOf(example, field);
    if (answerOf(value) !== example.answer) {
      throw new PupilError(`its proof says ${answerOf(value)}.`, {
        field,
        value: example.answer,
        remedy: "Its answer and its proof must agree.",
      });
    }
    return {
      id: `${name}:${id}`,
      prompt: `${example.question} True or false: ${example.query}\n`,
      answer: example.answer,
      completion: [...example.proof, example.answer].join("\n"),
      value,
    };
  });
}

interface Example {
  readonly id: string;
  readonly question: string;
  readonly query: string;
  readonly proof: readonly string[];
  readonly answer: "True" | "False";
}

function examplesOf(json: unknown, name: string): Example[] {
  const ofGenerator = generated.safeParse(json);
  if (ofGenerator.success) {
    return Object.entries(ofGenerator.data).map(([id, { test_example: example }]) => ({
      ...{ id, question: example.question, answer: example.answer },
      query: example.query.replace(/^True or false: /, ""),
      proof: example.chain_of_thought,
    }));
  }
  const ofOptions = options.safeParse(json);
  if (ofOptions.success) {
    return ofOptions.data.map(({ id, context, question, answer, explanation }) => ({
      ...{ id, question: context, proof: explanation },
      query: question.replace(/^Is the following statement true or false\? /, ""),
      answer: answer === "A" ? "True" : "False",
    }));
  }
  throw new PupilError("it is no PrOntoQA file.", {
    field: name,
    value: json,
    remedy:
      "It is an object of examples with test_example, or a list of rows with context, question, answer and explanation.",
  });
}

function problemOf({ question, query, proof }: Omit<Example, "id">, field: string): LogicProblem {
  const statement = (sentence: string): Statement => {
    const found = read(sentence.trim());
    if (found !== undefined) return found;
    throw new PupilError(`has the sentence ${showValue(sentence)}, which states nothing.`, {
      field,
      value: sentence,
      remedy:
        'Sentences are like "Every vumpus is a brimpus.", "Vumpuses are not red.", "Max is red."',
    });
  };
  const premises = question.split(/(?<=\.)\s+/);
  const value: LogicProblem = {
    premises: premises.map(statement),
    query: statement(query),
    proof: proof.map(statement),
    wording: "sentences",
    plural: premises.flatMap((sentence, i) => (/^\w+ are /.test(sentence) ? [i] : [])),
  };
  const last = value.proof.at(-1) as Statement;
  if (isSame(last, value.query) || isSame(last, negate(value.query))) return value;
  throw new PupilError("its proof does not end in what is asked.", {
    field,
    value: proof.at(-1),
    remedy: `It is asked whether ${query}`,
  });
}
