import * as tf from "@tensorflow/tfjs-core";
import { makeBatch, type Tokenizer, type TokenSequence } from "pupil/data";
import type { LossState, LossTerm } from "pupil/losses";
import type { LanguageModel } from "pupil/models";
import type { Teacher } from "pupil/teachers";
import { Random, readValues } from "pupil/tensors";
import { type TokenView, viewTokens } from "pupil/trainers";
import { pushOnLogits, termsOfTokens } from "./logit-gradients.js";
import type { LikelyToken, SeenToken } from "./protocol.js";

/** Tokens that are shown of each distribution. */
const shownAlternatives = 6;
/** Tokens that are asked of each: beyond them a probability is below a thousandth, and shown as 0. */
const mostAlternatives = 1024;

export interface Looking {
  readonly student: LanguageModel;
  readonly teacher: Teacher;
  readonly tokenizer: Tokenizer;
  readonly loss: readonly LossTerm[];
  /** Share of the training that is done. */
  readonly progress: number;
  readonly stateOf: (term: LossTerm) => LossState | undefined;
  /** Text of an id. */
  readonly textOf: (id: number) => string;
}

/** How both models see the learned tokens of a row, and what the loss does about it. */
export async function lookAt(
  looking: Looking,
  row: TokenSequence,
  isOwn: boolean,
): Promise<SeenToken[]> {
  const { student, teacher, tokenizer } = looking;
  const alternatives = Math.min(mostAlternatives, student.config.vocabSize);
  const views = await viewTokens(student, teacher, row, { padId: tokenizer.padId, alternatives });
  const pushes = await pushesAt(looking, row, isOwn);
  return views.map((view) => seen(view, looking, pushes));
}

/** −∂L/∂logit by position of the row and id; undefined where the loss says nothing of single tokens. */
type Pushes = ((position: number, id: number) => number) | undefined;

async function pushesAt(looking: Looking, row: TokenSequence, isOwn: boolean): Promise<Pushes> {
  const { student, teacher, tokenizer, progress, stateOf } = looking;
  const hasLists = teacher.provides.includes("teacherTokenIds");
  const terms = termsOfTokens(looking.loss, { isOwn, hasLists });
  if (terms.length === 0) return undefined;
  using batch = makeBatch([row], tokenizer.padId);
  const needs = hasLists
    ? (["teacherLogits", "teacherTokenIds", "teacherTopLogProbs"] as const)
    : (["teacherLogits"] as const);
  const context = { random: new Random(0).stream("look"), firstRow: 0 };
  const scores = await teacher.score(batch, needs, context);
  const { vocabSize } = student.config;
  let tensor: tf.Tensor3D;
  try {
    tensor = tf.tidy(() => {
      const { teacherLogits, teacherTokenIds, teacherTopLogProbs } = scores.tensors();
      if (teacherLogits === undefined) throw new Error("The teacher gave no logits.");
      const given =
        teacherTokenIds === undefined || teacherTopLogProbs === undefined
          ? {}
          : { lists: { teacherTokenIds, teacherTopLogProbs } };
      const studentLogits = student.forward(batch);
      const { labels } = batch;
      const logits = { studentLogits, teacherLogits, labels, ...given };
      return pushOnLogits(terms, logits, progress, stateOf);
    });
  } finally {
    scores.dispose?.();
  }
  const values = await readValues(tensor, "float32");
  // Position t says what comes at t + 1.
  return (position, id) => values[(position - 1) * vocabSize + id] as number;
}

function seen(view: TokenView, { textOf }: Looking, push: Pushes): SeenToken {
  const { ofTeacher, position, id, studentEntropy } = view;
  if (ofTeacher === undefined) throw new Error("The teacher did not score the row.");
  const ofStudent = new Map(view.student.map((one) => [one.id, one.probability]));
  const known = new Map(ofTeacher.likeliest.map((one) => [one.id, one.probability]));
  // Either's likeliest may be far down the other's list.
  const likeliest = view.student.slice(0, shownAlternatives).map((one) => one.id);
  const ids = [...new Set([...known.keys(), ...likeliest])];
  const likely = ids
    .map((one) => ({ id: one, probability: known.get(one) ?? 0, student: ofStudent.get(one) ?? 0 }))
    .sort((a, b) => Math.max(b.probability, b.student) - Math.max(a.probability, a.student))
    .slice(0, shownAlternatives)
    .map((one): LikelyToken => {
      const token = { text: textOf(one.id), teacher: one.probability, student: one.student };
      return push === undefined ? token : { ...token, push: push(position, one.id) };
    });
  const { forwardKl, reverseKl, entropy: teacherEntropy, advantage } = ofTeacher;
  const text = textOf(id);
  return { text, forwardKl, reverseKl, studentEntropy, teacherEntropy, advantage, likely };
}
