export {
  type AdamwParameter,
  adamwRates,
  type AdamwSettings,
  adamwUpdate,
} from "./optimizer/adamw-update.js";
export { attentionProbabilities, causalAttention } from "./attention/causal-attention.js";
export { averageUpdate } from "./optimizer/average-update.js";
export { clipScale } from "./optimizer/clip-scale.js";
export { crossEntropyFromLogits } from "./row-losses/cross-entropy-from-logits.js";
export {
  type DecodeAttributes,
  type DecoderWeights,
  decodeToken,
  hasTokenDecoder,
  namedWeights,
  packWeights,
  type PackedWeights,
  type WeightPart,
  writeCache,
} from "./attention/decode-token.js";
export {
  defineKernel,
  defineOp,
  type KernelFunction,
  type Op,
  type OpDefinition,
  opBackends,
  registerOpKernel,
} from "./define.js";
export {
  distributionStatisticNames,
  distributionStatistics,
} from "./row-losses/distribution-statistics.js";
export { distributionSums } from "./row-losses/distribution-sums.js";
export { klOf, whereLikely } from "./row-losses/divergence.js";
export { embedding } from "./layers/embedding.js";
export { forwardKlFromLogits } from "./row-losses/forward-kl-from-logits.js";
export { gelu, type GeluApproximation } from "./layers/gelu.js";
export { generalizedJsdFromLogits } from "./row-losses/generalized-jsd-from-logits.js";
export { globalNorm } from "./optimizer/global-norm.js";
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
  arrayOf,
  bytesOfElement,
  canReadHalves,
  checkedProducts,
  type GpuProgram,
  type GpuTensors,
  halfCheck,
  type HalfCheck,
  type Largest,
  type MatmulTiles,
  matrixBlock,
  type MatrixShape,
  mergeArrays,
  narrowed,
  readingHalves,
  reducedRows,
  reducesRight,
  registerWebGpuKernels,
  setMatmulTiles,
  setSubgroupMatrices,
  setSubgroups,
  shaderSource,
  splitArrays,
  valuesToReduce,
  widened,
} from "./kernels/webgpu/index.js";
export { layerNorm } from "./layers/layer-norm.js";
export { linear, type WeightLayout } from "./layers/linear.js";
export {
  type HiddenLossTerm,
  type HiddenStates,
  lossesFromHidden,
  type LossesFromHiddenInputs,
} from "./row-losses/losses-from-hidden.js";
export { logProbsFromLogits } from "./row-losses/log-probs-from-logits.js";
export { maskedSum } from "./masked-sum.js";
export { positionIds } from "./attention/position-ids.js";
export { residualAttention, type ResidualAttentionInputs } from "./attention/residual-attention.js";
export { type MlpActivation, residualMlp, type ResidualMlpInputs } from "./layers/residual-mlp.js";
export { reverseKlFromLogits } from "./row-losses/reverse-kl-from-logits.js";
export { rmsNorm } from "./layers/rms-norm.js";
export type { RowLoss } from "./row-losses/row-loss.js";
export { rotary } from "./attention/rotary.js";
export {
  inverseFrequencies,
  type RotaryFrequencies,
  rotaryTables,
  splitTurns,
} from "./attention/rotary-tables.js";
export { type AheadSettings, sampleAhead } from "./sampling/sample-ahead.js";
export { sampleTokens, type SamplingSettings } from "./sampling/sample-tokens.js";
export { scatterToVocabulary, selectedLogProbs } from "./row-losses/selected-log-probs.js";
export { silu } from "./layers/silu.js";
export { swiglu } from "./layers/swiglu.js";
export { tokenLogProbs } from "./row-losses/token-log-probs.js";
