import { policyGradientLoss, sampledReverseKlLoss } from "./sampled/index.js";
import { sampledKlLoss, sparseKlLoss } from "./sparse/index.js";
import {
  adaptiveKlLoss,
  crossEntropyLoss,
  forwardKlLoss,
  generalizedJsdLoss,
  logitMseLoss,
  reverseKlLoss,
  skewKlLoss,
  symmetricKlLoss,
  taidLoss,
  totalVariationLoss,
  universalLogitLoss,
} from "./token/index.js";

/** Every loss that a config can name, by kind; a kind is a folder. */
export const lossesByKind = {
  token: [
    crossEntropyLoss,
    forwardKlLoss,
    reverseKlLoss,
    symmetricKlLoss,
    generalizedJsdLoss,
    skewKlLoss,
    adaptiveKlLoss,
    taidLoss,
    totalVariationLoss,
    logitMseLoss,
    universalLogitLoss,
  ],
  sparse: [sparseKlLoss, sampledKlLoss],
  sampled: [policyGradientLoss, sampledReverseKlLoss],
  pairs: [],
  lists: [],
  representations: [],
} as const;

export type LossKind = keyof typeof lossesByKind;

/** The same as one list. Schemas, docs and the conformance suite come from it. */
export const lossDefinitions = [
  ...lossesByKind.token,
  ...lossesByKind.sparse,
  ...lossesByKind.sampled,
  ...lossesByKind.pairs,
  ...lossesByKind.lists,
  ...lossesByKind.representations,
] as const;

export type LossName = (typeof lossDefinitions)[number]["name"];
