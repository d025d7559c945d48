export {
  type AdamwParameter,
  adamwRates,
  type AdamwSettings,
  adamwUpdate,
} from "./adamw-update.js";
export { attentionProbabilities, causalAttention } from "./causal-attention.js";
export { clipScale } from "./clip-scale.js";
export { crossEntropyFromLogits } from "./cross-entropy-from-logits.js";
export {
  type DecodeAttributes,
  type DecoderWeights,
  decodeToken,
  hasTokenDecoder,
  namedWeights,
  packWeights,
  type WeightPart,
  writeCache,
} from "./decode-token.js";
export {
  defineKernel,
  defineOp,
  type KernelFunction,
  type Op,
  type OpDefinition,
  opBackends,
  registerOpKernel,
} from "./define.js";
export { distributionStatisticNames, distributionStatistics } from "./distribution-statistics.js";
export { distributionSums } from "./distribution-sums.js";
export { klOf, whereLikely } from "./divergence.js";
export { embedding } from "./embedding.js";
export { forwardKlFromLogits } from "./forward-kl-from-logits.js";
export { gelu, type GeluApproximation } from "./gelu.js";
export { generalizedJsdFromLogits } from "./generalized-jsd-from-logits.js";
export { globalNorm } from "./global-norm.js";
export { registerTensorflowKernels } from "./kernels/tensorflow/index.js";
export {
  type Block,
  describeExecutor,
  type EngineOptions,
  type EnginePlatform,
  type Executor,
  type KernelBuild,
  type KernelFile,
  type NativeExecutor,
  nativeExecutors,
  type NativeKernels,
  registerWasmKernels,
  relaxedProbe,
  WasmEngine,
  type WasmTensors,
  webAssembly,
  type WorkerTask,
} from "./kernels/wasm/index.js";
export {
  type GpuProgram,
  type GpuTensors,
  type MatmulTiles,
  mergeArrays,
  registerWebGpuKernels,
  setMatmulTiles,
  shaderSource,
} from "./kernels/webgpu/index.js";
export { layerNorm } from "./layer-norm.js";
export { linear, type WeightLayout } from "./linear.js";
export {
  type HiddenLossTerm,
  type HiddenStates,
  lossesFromHidden,
  type LossesFromHiddenInputs,
} from "./losses-from-hidden.js";
export { logProbsFromLogits } from "./log-probs-from-logits.js";
export { maskedSum } from "./masked-sum.js";
export { positionIds } from "./position-ids.js";
export { residualAttention, type ResidualAttentionInputs } from "./residual-attention.js";
export { type MlpActivation, residualMlp, type ResidualMlpInputs } from "./residual-mlp.js";
export { reverseKlFromLogits } from "./reverse-kl-from-logits.js";
export { rmsNorm } from "./rms-norm.js";
export type { RowLoss } from "./row-loss.js";
export { rotary } from "./rotary.js";
export {
  inverseFrequencies,
  type RotaryFrequencies,
  rotaryTables,
  splitTurns,
} from "./rotary-tables.js";
export { type AheadSettings, sampleAhead } from "./sample-ahead.js";
export { sampleTokens, type SamplingSettings } from "./sample-tokens.js";
export { scatterToVocabulary, selectedLogProbs } from "./selected-log-probs.js";
export { silu } from "./silu.js";
export { swiglu } from "./swiglu.js";
export { tokenLogProbs } from "./token-log-probs.js";
