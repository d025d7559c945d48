import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { assertShape } from "../../tensors/index.js";
import { cosineSimilarity } from "../cosine-similarity.js";
import { defineLoss } from "../define.js";
import type { LossInputs } from "../inputs.js";
import { keepMasked, meanOfMasked } from "../masked.js";

/** Thought paths of the options of a question and of its counterfactual twin. */
export type ThoughtPaths = Pick<
  LossInputs,
  | "anchorStates"
  | "counterfactualAnchorStates"
  | "unchangedStates"
  | "counterfactualUnchangedStates"
  | "listMask"
>;

export interface ThoughtPathContrastiveOptions {
  /** Divides the difference of the cosines: small values make it a hard choice. Default 0.1. */
  readonly temperature?: number;
}

/**
 * Thought-path contrastive loss: between a question and its counterfactual twin, options that are as
 * right or wrong as before are to stay alike, the option that flipped is not.
 *
 *     mean over unchanged options j of −log σ((cos(u_j, u_j′) − cos(a, a′)) / β)
 *
 * a and a′ are the mean hidden states over the thought path of the option that flips, in the question
 * and in the twin; u_j and u_j′ those of the options that do not. The released code has two such
 * options and β = 0.1 (`temperature` here), with the term's weight 1.
 *
 * @param paths anchors `[B, D]`, unchanged options `[B, N, D]`, `listMask` `[B, N]`
 * @returns `[B]`; 0 for a row without unchanged options
 * @see https://arxiv.org/abs/2409.14495 (thought-path contrastive learning); the released tpcl/trainer.py
 */
export function thoughtPathContrastive(
  paths: ThoughtPaths,
  { temperature = 0.1 }: ThoughtPathContrastiveOptions = {},
): tf.Tensor1D {
  assertShape(
    { ...paths },
    {
      anchorStates: "B D",
      counterfactualAnchorStates: "B D",
      unchangedStates: "B N D",
      counterfactualUnchangedStates: "B N D",
      listMask: "B N",
    },
  );
  const { unchangedStates, counterfactualUnchangedStates, listMask } = paths;
  return tf.tidy(() => {
    const isUnchanged = listMask.expandDims(2);
    const kept = cosineSimilarity(
      keepMasked(unchangedStates, isUnchanged),
      keepMasked(counterfactualUnchangedStates, isUnchanged),
    );
    const flipped = cosineSimilarity(paths.anchorStates, paths.counterfactualAnchorStates);
    const lead = kept.sub(flipped.expandDims(1)).div(temperature);
    return meanOfMasked(lead.neg().softplus() as tf.Tensor2D, listMask);
  });
}

export const thoughtPathContrastiveLoss = defineLoss({
  name: "thought-path-contrastive",
  summary:
    "Thought paths of options that keep their truth in a counterfactual stay alike, the flipped option's do not.",
  formula: "mean_j −log σ([cos(u_j, u_j′) − cos(a, a′)] / temperature)",
  reference: "https://arxiv.org/abs/2409.14495",
  whenToUse:
    "Beside SFT on multiple-choice questions and their counterfactual twins, with a rationale for every option.",
  failureSignature:
    "The loss stays at ln 2 and all cosines go to 1: the states have collapsed to one direction. Remedy: a smaller weight, or a higher temperature.",
  per: "row",
  needs: [
    "anchorStates",
    "counterfactualAnchorStates",
    "unchangedStates",
    "counterfactualUnchangedStates",
    "listMask",
  ],
  config: z.strictObject({
    temperature: z
      .number()
      .positive()
      .default(0.1)
      .describe("Divides the difference of the cosines; the paper's β."),
  }),
  properties: { nonNegative: true },
  examples: [{}, { temperature: 0.5 }],
  evaluate: (inputs, config) => thoughtPathContrastive(inputs, config),
});
