import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import {
  logProbsFromLogits,
  scatterToVocabulary,
  selectedLogProbs,
  whereLikely,
} from "../../ops/index.js";
import { assertShape } from "../../tensors/index.js";
import { defineLoss } from "../define.js";
import { splitInfinite } from "../masked.js";
import { stopGradient } from "../stop-gradient.js";
import { scaleByTemperature, temperatureFields, type TemperatureOptions } from "../temperature.js";

/** What stands for the tokens that the teacher did not send; see {@link sparseKl}. */
export type SparseSupport = "raw" | "renormalized" | "teacher-renormalized" | "tail";

export interface SparseKlOptions extends TemperatureOptions {
  /** Default `forward`. */
  readonly direction?: "forward" | "reverse";
  /** Default `tail`. */
  readonly support?: SparseSupport;
}

/** Smallest mass outside the tokens on either side, as in TRL; float32 knows 1 − Σ no better. */
const smallestTail = 1e-7;

/**
 * KL between student and teacher of which only the K likeliest tokens are known, in nats per token.
 * Sums over those K tokens (forward; reverse swaps the roles):
 *
 *     raw                   Σ T (log T − log S)
 *     tail                  the same + T_rest (log T_rest − log S_rest), rest = 1 − Σ over K
 *     renormalized          Σ T' (log T' − log S'), both divided by their sum over K
 *     teacher-renormalized  Σ T' (log T' − log S), only the teacher divided by its sum
 *
 * `tail` is a KL of the distributions with all other tokens in one bucket: never negative, never
 * above the KL over the whole vocabulary, larger with every token more, exact when the rest is one
 * token. `raw` can be negative and rewards mass outside K. `renormalized` does not see that mass.
 *
 * 0 · log 0 = 0 for a listed token that p gives −Infinity; the value is +Infinity where q rules out one
 * that p does not.
 *
 * A temperature needs the whole distribution: only the two renormalized supports know it on their
 * K tokens, so the others accept no temperature but 1.
 *
 * @param studentLogits `[B, T, V]`, before temperature
 * @param teacherTokenIds `[B, T, K]` int32, no id twice at a position
 * @param teacherTopLogProbs `[B, T, K]`, of the whole vocabulary at temperature 1; no gradient
 * @returns `[B, T]`
 * @see TRL `loss_add_tail` (tail), verl `forward_kl_topk` (raw), ms-swift `gkd_logits_topk`
 *   (renormalized), DistillKit `missing_probability_handling` zero (teacher-renormalized)
 */
export function sparseKl(
  studentLogits: tf.Tensor3D,
  teacherTokenIds: tf.Tensor3D,
  teacherTopLogProbs: tf.Tensor3D,
  options: SparseKlOptions = {},
): tf.Tensor2D {
  const { direction = "forward", support = "tail", temperature = 1 } = options;
  assertShape(
    { studentLogits, teacherTokenIds, teacherTopLogProbs },
    { studentLogits: "B T V", teacherTokenIds: "B T K", teacherTopLogProbs: "B T K" },
  );
  if (temperature !== 1 && !knowsTemperature(support)) {
    throw new PupilError(temperatureProblem(support), { field: "temperature", value: temperature });
  }
  return tf.tidy(() => {
    const selected = selectedLogProbs(studentLogits, teacherTokenIds, { temperature });
    const top = stopGradient(teacherTopLogProbs);
    const teacher = support === "raw" || support === "tail" ? top : renormalize(top, temperature);
    const student = support === "renormalized" ? renormalize(selected, 1) : selected;
    const [p, q] = direction === "forward" ? [teacher, student] : [student, teacher];
    const probabilities = p.exp();
    const { finite, infinite } = splitInfinite(whereLikely(probabilities, p.sub(q)));
    const inside = probabilities.mul(finite).add(infinite).sum(-1);
    if (support !== "tail") return scaleByTemperature(inside as tf.Tensor2D, options);
    const studentTail = tailOfStudent(studentLogits, teacherTokenIds);
    const teacherTail = tf.sub(1, top.exp().sum(-1)).maximum(smallestTail);
    const [r, s] =
      direction === "forward" ? [teacherTail, studentTail] : [studentTail, teacherTail];
    return inside.add(r.mul(r.log().sub(s.log())));
  });
}

/** log of p^(1/τ) / Σ p^(1/τ) over the K tokens. */
function renormalize(logProbs: tf.Tensor3D, temperature: number): tf.Tensor3D {
  return logProbsFromLogits(logProbs, { temperature });
}

/** The student's mass outside the K tokens, summed up directly: 1 − Σ would lose a small one. */
function tailOfStudent(studentLogits: tf.Tensor3D, ids: tf.Tensor3D): tf.Tensor {
  const V = studentLogits.shape[2];
  const isOutside = tf.sub(1, scatterToVocabulary(tf.ones(ids.shape), ids, V));
  return logProbsFromLogits(studentLogits).exp().mul(isOutside).sum(-1).maximum(smallestTail);
}

function knowsTemperature(support: SparseSupport): boolean {
  return support === "renormalized" || support === "teacher-renormalized";
}

function temperatureProblem(support: SparseSupport): string {
  return `support "${support}" needs temperature 1: the teacher's K probabilities at another temperature depend on those that it did not send; use "renormalized" or "teacher-renormalized"`;
}

export const sparseKlLoss = defineLoss({
  name: "sparse-kl",
  summary: "KL to (or from) a teacher of which only the likeliest tokens are known.",
  direction:
    "forward: KL(teacher ‖ student), mass-covering; reverse: KL(student ‖ teacher), mode-seeking",
  formula: "Σ_K T (log T − log S) [+ T_rest (log T_rest − log S_rest)]; reverse: roles swapped",
  reference:
    "https://github.com/huggingface/trl (loss_top_k with loss_add_tail of its distillation trainer)",
  whenToUse:
    "When the teacher sends its top log-probabilities: a server, a recording, or a vocabulary too large to keep. Keep the tail unless the K tokens hold nearly all mass.",
  failureSignature:
    "With support raw or renormalized the loss falls, even below 0, while the student's mass on the K tokens falls too: it escapes to where nobody looks. Remedy: tail, or teacher-renormalized.",
  per: "token",
  needs: ["studentLogits", "teacherTokenIds", "teacherTopLogProbs"],
  config: z
    .strictObject({
      direction: z
        .enum(["forward", "reverse"])
        .default("forward")
        .describe("forward: KL(teacher ‖ student). reverse: KL(student ‖ teacher)."),
      support: z
        .enum(["raw", "renormalized", "teacher-renormalized", "tail"])
        .default("tail")
        .describe(
          "What stands for the other tokens: nothing (raw), one bucket (tail), or the K tokens as the whole vocabulary of both (renormalized) or of the teacher.",
        ),
      ...temperatureFields,
    })
    .superRefine(({ support, temperature }, context) => {
      if (temperature === 1 || knowsTemperature(support)) return;
      context.addIssue({
        code: "custom",
        path: ["temperature"],
        message: temperatureProblem(support),
      });
    }),
  properties: { shiftInvariant: true },
  examples: [
    {},
    { direction: "reverse" },
    { support: "raw" },
    { support: "renormalized", temperature: 2 },
    { support: "renormalized", direction: "reverse" },
    { support: "teacher-renormalized", temperature: 2, temperatureSquared: true },
    { support: "teacher-renormalized", direction: "reverse" },
  ],
  evaluate: ({ studentLogits, teacherTokenIds, teacherTopLogProbs }, config) =>
    sparseKl(studentLogits, teacherTokenIds, teacherTopLogProbs, config),
});
