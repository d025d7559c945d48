import type { LossInputs } from "../losses/index.js";

/** Loss inputs that come from sampling, `[B, T]`, 0 wherever the student sampled nothing. */
export type RolloutInputs = Partial<Pick<LossInputs, "oldTokenLogProbs" | "advantages">>;
