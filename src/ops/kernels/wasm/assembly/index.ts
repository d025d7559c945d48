export { setUp, stopWorkers, work, workerClaims } from "./threads";
export { matmul } from "./matmul";
export { binary, binaryBroadcast, fill, unary } from "./elementwise";
export { reduce, rootOfSum, sumSquares } from "./reduce";
export { stridedCopy } from "./layout";
export { findBadId, gatherRows, scatterAddRows } from "./embedding";
export { normBackward, normForward } from "./norm";
export { activation } from "./activation";
export { attention, attentionBlockBytes, attentionGrad } from "./attention";
export { rotary } from "./rotary";
export { decode, packPanels, panelColumns } from "./decode";
export { longestSampledRow, sample } from "./sample";
export { adamw } from "./optimizer";
export { statistics } from "./statistics";
export {
  crossEntropy, crossEntropyGrad, divergence, divergenceGrad, softmax,
} from "./softmax";
import { SCRATCH_BYTES } from "./threads";

export function scratchBytes(): i32 {
  return SCRATCH_BYTES;
}

/** First address that is neither the threads' control block nor static data. */
export function heapStart(): usize {
  return __heap_base;
}
