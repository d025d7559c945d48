import * as tf from "@tensorflow/tfjs-core";
import {
  inputsOf,
  type LossInput,
  lossInputFacts,
  type LossInputs,
  type LossState,
  type LossTerm,
  stopGradient,
  tokenLogProbs,
  weightAt,
} from "pupil/losses";

/** What is known about the tokens of one row. */
export interface TokenLogits {
  /** `[1, T, V]`, before temperature. */
  readonly studentLogits: tf.Tensor3D;
  readonly teacherLogits: tf.Tensor3D;
  /** `[1, T]` int32: the token that position t predicts. */
  readonly labels: tf.Tensor2D;
  /** `[1, T, K]`, where the teacher gives lists. */
  readonly lists?: Pick<LossInputs, "teacherTokenIds" | "teacherTopLogProbs">;
}

const known: readonly LossInput[] = [
  ...(["studentLogits", "teacherLogits", "labels", "tokenLogProbs", "oldTokenLogProbs"] as const),
  ...(["teacherTokenLogProbs", "advantages"] as const),
];

/**
 * The terms that have a value of each token of a row, and of the logits alone.
 *
 * @param isOwn whether the student wrote the row
 * @param hasLists whether the teacher gives its likeliest tokens
 */
export function termsOfTokens(
  terms: readonly LossTerm[],
  { isOwn, hasLists }: { readonly isOwn: boolean; readonly hasLists: boolean },
): LossTerm[] {
  const given: readonly LossInput[] = hasLists
    ? [...known, "teacherTokenIds", "teacherTopLogProbs"]
    : known;
  return terms.filter(({ definition }) => {
    const rows = definition.needs.map((need) => lossInputFacts(need).rows);
    const isMeant = !rows.includes(isOwn ? "data" : "rollouts");
    return (
      isMeant && definition.per === "token" && inputsOf(definition).every((i) => given.includes(i))
    );
  });
}

/**
 * What a step along the gradient would do to the logits: −∂L/∂z, `[1, T, V]`, where L is the sum over the
 * positions of the terms with their weights. Position t has the gradient of its own token's loss. Advantages
 * are log T(y) − log S(y) of the token itself.
 *
 * @param terms those that {@link termsOfTokens} gives
 * @param stateOf what a term remembers; undefined: its initial state
 */
export function pushOnLogits(
  terms: readonly LossTerm[],
  row: TokenLogits,
  progress: number,
  stateOf: (term: LossTerm) => LossState | undefined = () => undefined,
): tf.Tensor3D {
  const { studentLogits, teacherLogits, labels, lists } = row;
  return tf.tidy(() => {
    const teacherTokenLogProbs = tokenLogProbs(teacherLogits, labels);
    const lossOf = (z: tf.Tensor): tf.Tensor => {
      const logits = z as tf.Tensor3D;
      const own = tokenLogProbs(logits, labels);
      const old = stopGradient(own);
      const inputs = {
        ...{ studentLogits: logits, teacherLogits, labels, teacherTokenLogProbs },
        ...{ tokenLogProbs: own, oldTokenLogProbs: old },
        advantages: teacherTokenLogProbs.sub<tf.Tensor2D>(old),
        ...lists,
      };
      const sums = terms.map((term) => {
        const { definition, config, weight } = term;
        const values = definition.evaluate(inputs as unknown as LossInputs, config, stateOf(term));
        return (values as tf.Tensor).sum().mul<tf.Scalar>(weightAt(weight, progress));
      });
      return tf.addN(sums);
    };
    return tf.grad(lossOf)(studentLogits).neg() as tf.Tensor3D;
  });
}
