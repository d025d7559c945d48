import {
  candidateCrossEntropyLoss,
  lambdaRankLoss,
  listKlLoss,
  listMleLoss,
  listNetLoss,
  pairwiseHingeLoss,
  rankNetLoss,
} from "./lists/index.js";
import {
  dpoLoss,
  ipoLoss,
  rediLoss,
  rpoLoss,
  simpoLoss,
  thoughtPathContrastiveLoss,
  tripletLoss,
} from "./pairs/index.js";
import {
  attentionRelationLoss,
  hiddenStateLoss,
  inBatchContrastiveLoss,
  kvMatchLoss,
  neuronSelectivityLoss,
} from "./representations/index.js";
import {
  guidedPolicyGradientLoss,
  policyGradientLoss,
  sampledReverseKlLoss,
} from "./sampled/index.js";
import {
  generalizedForwardKlLoss,
  generalizedReverseKlLoss,
  sampledKlLoss,
  sparseKlLoss,
} from "./sparse/index.js";
import {
  adaptiveKlLoss,
  crossEntropyLoss,
  forwardKlLoss,
  generalizedJsdLoss,
  logitMseLoss,
  negativeEntropyLoss,
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
    negativeEntropyLoss,
  ],
  sparse: [sparseKlLoss, generalizedForwardKlLoss, generalizedReverseKlLoss, sampledKlLoss],
  sampled: [policyGradientLoss, guidedPolicyGradientLoss, sampledReverseKlLoss],
  pairs: [rediLoss, dpoLoss, rpoLoss, ipoLoss, simpoLoss, tripletLoss, thoughtPathContrastiveLoss],
  lists: [
    rankNetLoss,
    listNetLoss,
    listMleLoss,
    lambdaRankLoss,
    pairwiseHingeLoss,
    candidateCrossEntropyLoss,
    listKlLoss,
  ],
  representations: [
    hiddenStateLoss,
    attentionRelationLoss,
    neuronSelectivityLoss,
    inBatchContrastiveLoss,
    kvMatchLoss,
  ],
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
