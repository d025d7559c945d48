import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { parseConfig, PupilError, requireMember } from "../errors/index.js";
import type { LossDefinition, LossState, StateNumbers, ValuesPer } from "./define.js";
import { type LossInput, lossInputFacts, type LossInputs } from "./inputs.js";
import { type LayerPair, layersField } from "./layers.js";
import type { ListScores } from "./list-scores.js";
import { type LossWeight, weightAt } from "./weight.js";

/** A loss with its options settled and its weight in a sum. Made by {@link lossTerm}. */
export interface LossTerm {
  readonly definition: LossDefinition;
  /** Every option, checked, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly weight: LossWeight;
  /** For losses on states of layers; absent: the last layer of both models. */
  readonly layers?: readonly LayerPair[];
  /** For losses on lists: which scores it learns from; absent: the teacher's, else the grades. */
  readonly scores?: ListScores;
}

/** Values of a weighted sum and of its terms, all `[B, T]` or all `[B]`. */
export interface CombinedLoss {
  /** Σ weight · term. */
  readonly values: tf.Tensor2D | tf.Tensor1D;
  /** Unweighted, by the labels of {@link termLabels}. */
  readonly terms: Readonly<Record<string, tf.Tensor2D | tf.Tensor1D>>;
}

/**
 * A term from a loss, be it one of the list or a definition of your own.
 *
 *     lossTerm(reverseKlLoss, { temperature: 2 }, 0.5)
 *     lossTerm(hiddenStateLoss, {}, 1, [[2, 4], [4, 8]])
 *
 * @param layers pairs of layers to compare, for a loss that reads states of layers
 * @throws PupilError if the options do not fit the schema of the loss, or it reads no layers
 */
export function lossTerm<
  N extends string,
  I extends LossInput,
  S extends z.ZodObject,
  P extends ValuesPer,
  M extends LossState,
  O extends LossInput,
>(
  definition: LossDefinition<N, I, S, P, M, O>,
  options: z.input<S>,
  weight: LossWeight = 1,
  layers?: readonly LayerPair[],
): LossTerm {
  requireMember(definition, "config", {
    field: "lossTerm: definition",
    remedy: "Give it a loss, such as reverseKlLoss; findLoss gives that of a name.",
  });
  const term = {
    definition,
    config: parseConfig(definition.config, options, definition.name),
    weight,
  };
  if (layers === undefined) return term;
  if (!readsLayers(definition)) {
    throw new PupilError("reads no states of layers.", {
      ...{ field: `${definition.name}.layers`, value: layers, remedy: "Leave it out." },
    });
  }
  parseConfig(z.object({ layers: layersField }), { layers }, definition.name);
  return { ...term, layers };
}

/** The inputs that some term reads, each once: what a trainer supplies. */
export function needsOf(terms: readonly LossTerm[]): LossInput[] {
  return [...new Set(terms.flatMap((term) => inputsOf(term.definition)))];
}

/** Every input that a loss reads, the optional ones last. */
export function inputsOf({ needs, optional = [] }: LossDefinition): LossInput[] {
  return [...needs, ...optional];
}

/** Whether a loss compares states of layers, so that its terms say which ones. */
export function readsLayers(definition: LossDefinition): boolean {
  return inputsOf(definition).some((input) => lossInputFacts(input).layer !== undefined);
}

/** Whether a loss compares scores of lists, so that its terms say whose it learns from. */
export function readsLists(definition: LossDefinition): boolean {
  return inputsOf(definition).includes("teacherScores");
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
 * A term's values `[B, T]` or `[B]`, without its weight.
 *
 * @param inputs at least those that the loss needs
 * @param state of a loss that has one; by default its initial one
 * @param numbers of the state, as tensors
 */
export function evaluateTerm(
  term: LossTerm,
  inputs: Partial<LossInputs>,
  state?: LossState,
  numbers?: StateNumbers,
): tf.Tensor2D | tf.Tensor1D {
  const { name, needs } = term.definition;
  const missing = needs.filter((need) => inputs[need] === undefined);
  if (missing.length > 0) {
    throw new PupilError(`needs ${missing.join(" and ")}.`, { field: name });
  }
  return term.definition.evaluate(inputs as LossInputs, term.config, state, numbers);
}

/**
 * Weighted sum of terms, and every term by itself for the log. For terms that all have values per
 * token or all per row; others meet only after their means are taken, as in a training step.
 *
 * @param progress share of the training that is done, for weights that follow a schedule
 */
export function combineLosses(
  terms: readonly LossTerm[],
  inputs: Partial<LossInputs>,
  progress = 0,
): CombinedLoss {
  if (terms.length === 0) {
    throw new PupilError("needs at least one term.", { field: "combineLosses" });
  }
  const kinds = new Set(terms.map((term) => term.definition.per));
  if (kinds.size > 1) {
    throw new PupilError("cannot add values per token and per row.", { field: "combineLosses" });
  }
  return tf.tidy(() => {
    const values = terms.map((term) => evaluateTerm(term, inputs));
    const weighted = values.map((v, i) => v.mul(weightAt((terms[i] as LossTerm).weight, progress)));
    const labels = termLabels(terms);
    return {
      values: tf.addN(weighted) as tf.Tensor2D | tf.Tensor1D,
      terms: Object.fromEntries(values.map((value, i) => [labels[i] as string, value])),
    };
  });
}
