import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { PupilError } from "../errors/index.js";
import type { LossDefinition, LossInput, LossInputs } from "./define.js";

/** A loss with its options settled and its weight in a sum. Made by {@link lossTerm}. */
export interface LossTerm {
  readonly definition: LossDefinition;
  /** Every option, checked, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly weight: number;
}

/** Per-token values `[B, T]` of a weighted sum and of its terms. */
export interface CombinedLoss {
  /** Σ weight · term. */
  readonly perToken: tf.Tensor2D;
  /** Unweighted, by the labels of {@link termLabels}. */
  readonly terms: Readonly<Record<string, tf.Tensor2D>>;
}

/**
 * A term from a loss, be it one of the list or a definition of your own.
 *
 *     lossTerm(reverseKlLoss, { temperature: 2 }, 0.5)
 *
 * @throws PupilError if the options do not fit the schema of the loss
 */
export function lossTerm<N extends string, I extends LossInput, S extends z.ZodObject>(
  definition: LossDefinition<N, I, S>,
  options: z.input<S>,
  weight = 1,
): LossTerm {
  const parsed = definition.config.safeParse(options);
  if (!parsed.success) {
    throw new PupilError(z.prettifyError(parsed.error), { field: definition.name, value: options });
  }
  return { definition, config: parsed.data, weight };
}

/** The inputs that some term reads, each once: what a trainer has to supply. */
export function needsOf(terms: readonly LossTerm[]): LossInput[] {
  return [...new Set(terms.flatMap((term) => term.definition.needs))];
}

/** Names for logs: the names of the losses, a repeated one numbered (`forward-kl`, `forward-kl-2`). */
export function termLabels(terms: readonly LossTerm[]): string[] {
  const seen = new Map<string, number>();
  return terms.map(({ definition: { name } }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/**
 * A term's per-token values `[B, T]`, without its weight.
 *
 * @param inputs at least those that the loss needs
 */
export function evaluateTerm(term: LossTerm, inputs: Partial<LossInputs>): tf.Tensor2D {
  const { name, needs } = term.definition;
  const missing = needs.filter((need) => inputs[need] === undefined);
  if (missing.length > 0) throw new Error(`The loss ${name} needs ${missing.join(" and ")}.`);
  return term.definition.evaluate(inputs as LossInputs, term.config);
}

/** Weighted sum of terms per token, and every term by itself for the log. */
export function combineLosses(
  terms: readonly LossTerm[],
  inputs: Partial<LossInputs>,
): CombinedLoss {
  if (terms.length === 0) throw new Error("combineLosses needs at least one term.");
  return tf.tidy(() => {
    const values = terms.map((term) => evaluateTerm(term, inputs));
    const weighted = values.map((value, i) => value.mul((terms[i] as LossTerm).weight));
    const labels = termLabels(terms);
    return {
      perToken: tf.addN(weighted) as tf.Tensor2D,
      terms: Object.fromEntries(values.map((value, i) => [labels[i] as string, value])),
    };
  });
}
