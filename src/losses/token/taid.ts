import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { defineLoss, type FinishedStep, type StateNumbers } from "../define.js";
import { stopGradient } from "../stop-gradient.js";
import { temperatureFields, type TemperatureOptions } from "../temperature.js";
import { forwardKl } from "./forward-kl.js";

export interface TaidOptions extends TemperatureOptions {
  /** Share of the teacher in the target, from 0 to 1. Default 0.4. */
  readonly interpolation?: number;
}

/** How the share of the teacher grows. */
export interface TaidSchedule {
  readonly start: number;
  readonly end: number;
  /** Largest step of the adaptive part. */
  readonly rate: number;
  /** Of the running mean of the relative improvement. */
  readonly momentum: number;
}

/** What TAID remembers from step to step. */
export interface TaidState extends Record<string, number | null> {
  readonly interpolation: number;
  /** Running mean of the relative improvement of the loss. */
  readonly improvement: number;
  /** The loss of the last step; null before the first. */
  readonly previousLoss: number | null;
}

/**
 * TAID: the target is between the student itself and the teacher, and moves towards the teacher as
 * training goes on, so that it is never far from what the student can do. In nats per token.
 *
 *     KL(P_t ‖ S),   P_t = softmax(((1 − t) sg(z^S) + t z^T) / τ)
 *
 * The mixture is taken of logits, and the student in it is a constant. The entropy of P_t is
 * included (the published code leaves it out, which changes no gradient). t = 1 is the forward KL;
 * at t = 0 there is nothing to learn. Gradient with respect to the student's logits: (S − P_t) / τ.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherLogits `[B, T, V]`, before temperature; no gradient flows into it
 * @returns `[B, T]`
 * @see https://arxiv.org/abs/2501.16937
 */
export function taid(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  options: TaidOptions = {},
): tf.Tensor2D {
  return taidOf(studentLogits, teacherLogits, options);
}

/** @param shares of student and teacher as tensors; those of the options, if they are left out */
function taidOf(
  studentLogits: tf.Tensor3D,
  teacherLogits: tf.Tensor3D,
  { interpolation: t = 0.4, ...temperature }: TaidOptions,
  shares: StateNumbers = {},
): tf.Tensor2D {
  assertShape({ studentLogits, teacherLogits }, { studentLogits: "B T V", teacherLogits: "B T V" });
  const { student = 1 - t, teacher = t } = shares;
  // A token that one of the two rules out is out, but not at a share of 0.
  const interpolated = () => {
    if (t === 0) return studentLogits;
    return t === 1 ? teacherLogits : studentLogits.mul(student).add(teacherLogits.mul(teacher));
  };
  return tf.tidy(() => {
    const target = stopGradient(interpolated() as tf.Tensor3D);
    return forwardKl(studentLogits, target, temperature);
  });
}

/**
 * The share of the teacher for the next step: at least a straight line from `start` to `end`, and
 * ahead of it while the loss improves.
 *
 *     δ = (L_previous − L) / L_previous,   m ← μ m + (1 − μ) δ
 *     t ← min(end, max(line(progress), t + rate · sigmoid(m) · (1 − t)))
 *
 * To be called once per optimizer step with the loss of the whole step. The first step only
 * remembers its loss.
 *
 * @see https://arxiv.org/abs/2501.16937 (adaptive interpolation parameter)
 */
export function advanceTaid(
  state: TaidState,
  { loss, progress }: FinishedStep,
  { start, end, rate, momentum }: TaidSchedule,
): TaidState {
  const { interpolation, improvement, previousLoss } = state;
  if (previousLoss === null) return { ...state, previousLoss: loss };
  const change = (previousLoss - loss) / (previousLoss + 1e-15);
  const smoothed = momentum * improvement + (1 - momentum) * change;
  const stepped = interpolation + (rate / (1 + Math.exp(-smoothed))) * (1 - interpolation);
  const line = start + (end - start) * progress;
  return {
    interpolation: Math.min(end, Math.max(line, stepped)),
    improvement: smoothed,
    previousLoss: loss,
  };
}

const share = () => z.number().min(0).max(1);

export const taidLoss = defineLoss({
  name: "taid",
  summary: "KL of a target between student and teacher to the student; the target moves over time.",
  direction:
    "KL(target ‖ student), mass-covering; the target moves from the student to the teacher",
  formula: "KL(P_t ‖ S), P_t = softmax(((1 − t) sg(z^S) + t z^T) / τ), t from start to end",
  reference: "https://arxiv.org/abs/2501.16937 (temporally adaptive interpolated distillation)",
  whenToUse:
    "A teacher much larger than the student, over a whole training: early targets are ones that the student can reach.",
  failureSignature:
    "The loss stays small from the first step on and so does the gradient: t is too small. Its rise over time is no divergence, the target moves away. Remedy: a larger start; look at the logged forward KL.",
  per: "token",
  needs: ["studentLogits", "teacherLogits"],
  config: z.strictObject({
    start: share().default(0.4).describe("Share of the teacher in the target at the first step."),
    end: share().default(1).describe("Share of the teacher at the end of the training."),
    rate: z
      .number()
      .min(0)
      .default(5e-4)
      .describe("Largest step by which the share runs ahead of the straight line; 0: never."),
    momentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.99)
      .describe("Of the running mean of the loss's relative improvement."),
    ...temperatureFields,
  }),
  properties: { nonNegative: true, zeroWhenStudentEqualsTeacher: true, shiftInvariant: true },
  examples: [{}, { start: 0.7, temperature: 2 }],
  state: {
    initial: ({ start }): TaidState => ({
      interpolation: start,
      improvement: 0,
      previousLoss: null,
    }),
    advance: advanceTaid,
    numbers: ({ interpolation }) => ({ student: 1 - interpolation, teacher: interpolation }),
  },
  evaluate: ({ studentLogits, teacherLogits }, { start, ...config }, state, shares) => {
    const options = { ...config, interpolation: state?.interpolation ?? start };
    return taidOf(studentLogits, teacherLogits, options, shares);
  },
});
