/** What most programs need. Each subject has an entry of its own (`pupil/losses`, `pupil/data`, …); files and runs are in `pupil/node`. */
export {
  type BackendChoice,
  type BackendReport,
  type Platform,
  startBackend,
  type StartBackendOptions,
  webPlatform,
} from "./backend/index.js";
export {
  type Dataset,
  datasetSchema,
  prepareData,
  type PreparedData,
  type PrepareOptions,
  type RunConfig,
  runConfigSchema,
} from "./config/index.js";
export {
  assignSplit,
  byteTokenizer,
  characterTokenizer,
  commonTaskFields,
  decodeCompletion,
  defineTask,
  defineVerifier,
  drawFromSplit,
  encodePrompt,
  isSameNumber,
  lastNumberIn,
  numberOf,
  plainText,
  type TaskDefinition,
  tokenizeExample,
  type Tokenizer,
  tokenizerFromJson,
  type TokenSequence,
  toleranceFields,
  type VerifierDefinition,
} from "./data/index.js";
export {
  DeviceError,
  NotFiniteError,
  PupilError,
} from "./errors/index.js";
export {
  crossEntropyLoss,
  defineLoss,
  dpoLoss,
  forwardKlLoss,
  generalizedJsdLoss,
  type LossDefinition,
  lossTerm,
  type LossTerm,
  policyGradientLoss,
  rediLoss,
  reverseKlLoss,
  sampledReverseKlLoss,
  stopGradient,
} from "./losses/index.js";
export {
  defineMethod,
  type MethodDefinition,
} from "./methods/index.js";
export {
  addAdapter,
  Decoder,
  decoderFromTensors,
  decoderToTensors,
  exportOnnx,
  initializeDecoder,
  type LanguageModel,
  type ModelConfig,
  modelConfigSchema,
  type ModelOptions,
} from "./models/index.js";
export {
  logProbsFromLogits,
  tokenLogProbs,
} from "./ops/index.js";
export {
  AdamW,
  type AdamWOptions,
  learningRateAt,
  type Schedule,
  scheduleSchema,
} from "./optim/index.js";
export {
  defineReward,
  defineSampler,
  type RewardDefinition,
  type Rollout,
  type SamplerDefinition,
  sampleRollouts,
  type SampleRolloutsOptions,
  type SamplingPolicy,
  samplingPolicySchema,
} from "./rollouts/index.js";
export {
  defineTeacher,
  type ExactLanguage,
  exactTeacher,
  modelTeacher,
  type ModelTeacherOptions,
  type Teacher,
  type TeacherDefinition,
} from "./teachers/index.js";
export {
  assertShape,
  Random,
  readScalars,
  readValues,
} from "./tensors/index.js";
export {
  distill,
  type DistillOptions,
  type EvaluateOptions,
  evaluateStudent,
  pairs,
  type PairsOptions,
  rank,
  type RankOptions,
  reinforce,
  type ReinforceOptions,
  type ScoredCompletion,
  sft,
  type SftOptions,
  type StepMetrics,
  type StudentEvaluation,
} from "./trainers/index.js";
