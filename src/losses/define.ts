import type * as tf from "@tensorflow/tfjs";
import type { z } from "zod";

/** Everything a loss on token distributions can ask for. */
export interface LossInputs {
  /** `[B, T, V]`, before temperature, with gradient. */
  readonly studentLogits: tf.Tensor3D;
  /** `[B, T, V]`, before temperature; no gradient flows into it. */
  readonly teacherLogits: tf.Tensor3D;
  /** `[B, T]` int32, already shifted: the token that position t predicts. */
  readonly labels: tf.Tensor2D;
}
export type LossInput = keyof LossInputs;

/** Facts about a loss that the conformance suite checks, so that they cannot be wrong for long. */
export interface LossProperties {
  readonly nonNegative: boolean;
  /** Value 0 and gradient 0 where the student's logits equal the teacher's. */
  readonly zeroWhenStudentEqualsTeacher: boolean;
  /** Unchanged when a constant is added to all logits of a position. */
  readonly shiftInvariant: boolean;
}

export interface LossDefinition<
  N extends string = string,
  I extends LossInput = LossInput,
  S extends z.ZodObject = z.ZodObject,
> {
  /** Name in configs, logs and docs; the file is called the same. */
  readonly name: N;
  /** One sentence, direction first. */
  readonly summary: string;
  /** The formula in plain text. */
  readonly formula: string;
  /** Paper and equation, or URL. */
  readonly reference: string;
  /** The inputs it reads; a trainer asks the teacher for exactly these. */
  readonly needs: readonly I[];
  /** Options with defaults, every field described. */
  readonly config: S;
  readonly properties: LossProperties;
  /** At least two configurations, one with temperature ≠ 1, for fixtures and conformance. */
  readonly examples: readonly z.input<S>[];
  /** Per-token values `[B, T]`, unreduced and unmasked. */
  evaluate(inputs: Pick<LossInputs, I>, config: z.output<S>): tf.Tensor2D;
}

/** Types a definition from its parts; returns it unchanged. */
export function defineLoss<N extends string, I extends LossInput, S extends z.ZodObject>(
  definition: LossDefinition<N, I, S>,
): LossDefinition<N, I, S> {
  return definition;
}
