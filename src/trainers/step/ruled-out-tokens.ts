import * as tf from "@tensorflow/tfjs-core";
import type { LanguageModel } from "../../models/index.js";
import { keepTensor } from "../../tensors/index.js";
import type { MicroBatch } from "./micro-batch.js";
import { rowInputs } from "./row-inputs.js";

/** Both models' logits `[V]`, or of a sparse teacher its log-probabilities, by id. */
export interface Predictions {
  readonly student: ReadonlyMap<number, number>;
  readonly teacher: ReadonlyMap<number, number>;
}

/** What both models say of position `t` of a row. */
export async function readPredictions(
  student: LanguageModel,
  microBatch: MicroBatch,
  row: number,
  t: number,
): Promise<Predictions> {
  const wanted = tf.tidy(() => {
    const inputs = rowInputs(student, microBatch)(row);
    const at = (tensor: tf.Tensor | undefined) =>
      tensor && keepTensor(tf.slice(tensor, [0, t], [1, 1]).flatten());
    const { studentLogits, teacherLogits, teacherTokenIds, teacherTopLogProbs } = inputs;
    return [studentLogits, teacherLogits, teacherTokenIds, teacherTopLogProbs].map(at);
  });
  const read = await Promise.all(wanted.map(async (tensor) => tensor?.data()));
  tf.dispose(wanted as tf.Tensor[]);
  const [ofStudent, ofTeacher, ids, logProbs] = read.map((values) => values && [...values]);
  const sparse = ids?.map((id, k): [number, number] => [id, logProbs?.[k] ?? NaN]) ?? [];
  return {
    student: new Map(ofStudent?.entries()),
    teacher: new Map(ofTeacher?.entries() ?? sparse),
  };
}

/** Facts that make a loss infinite or no number. */
export function describePredictions(
  { student, teacher }: Predictions,
  label: number,
  show: (id: number) => string,
): string {
  const broken = [
    ...notADistribution("student", student),
    ...(teacher.size === 0 ? [] : notADistribution("teacher", teacher)),
  ];
  const differences = [
    ...onlyOneRulesOut("student", student, "teacher", teacher),
    ...onlyOneRulesOut("teacher", teacher, "student", student),
  ].map(({ before, id, after }) => `${before} ${show(id)}${after}`);
  const facts = broken.length > 0 ? broken : differences;
  if (facts.length === 0 && student.get(label) === -Infinity)
    facts.push("the student rules it out");
  return facts.length === 0 ? "" : `: ${facts.join("; ")}`;
}

function notADistribution(who: string, scores: ReadonlyMap<number, number>): string[] {
  const values = [...scores.values()];
  const isNone = values.every((value) => value === -Infinity);
  if (isNone) return [`the ${who} rules out every token`];
  return values.every((value) => value < Infinity) ? [] : [`the ${who}'s logits are not finite`];
}

interface Fact {
  readonly before: string;
  readonly id: number;
  readonly after: string;
}

/** The likeliest token, to the other, of those that one gives −Infinity. */
function onlyOneRulesOut(
  who: string,
  scores: ReadonlyMap<number, number>,
  other: string,
  others: ReadonlyMap<number, number>,
): Fact[] {
  const [largest, total] = softmaxTotal([...others.values()]);
  const candidates = [...others]
    .filter(([id, score]) => scores.get(id) === -Infinity && score > -Infinity)
    .sort(([, a], [, b]) => b - a);
  const [first] = candidates;
  if (first === undefined || !Number.isFinite(total)) return [];
  const share = Number((Math.exp(first[1] - largest) / total).toPrecision(3));
  const before = `the ${who} rules out`;
  return [{ before, id: first[0], after: `, to which the ${other} gives ${share}` }];
}

function softmaxTotal(scores: readonly number[]): [largest: number, total: number] {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  return [largest, scores.reduce((sum, score) => sum + Math.exp(score - largest), 0)];
}
