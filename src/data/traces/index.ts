export { drawSome, majorityWrong, splitAnswer } from "./choose.js";
export { beforeAnswer, givesAway } from "./given-away.js";
export {
  findPairMaker,
  findTraceStep,
  type PairMakerConfig,
  pairMakerSchema,
  traceSteps,
  type TraceStepConfig,
  traceStepSchema,
} from "./list.js";
export { observedParts } from "./observed.js";
export { pairMakers } from "./pairs/index.js";
export { runPairMaker, runTraceSteps, type StepCount, type StepRun } from "./run-steps.js";
export {
  firstError,
  firstStepLength,
  judgedSteps,
  piecesOf,
  stepsOf,
  type TraceStepPart,
} from "./steps.js";
export {
  definePairMaker,
  defineTraceStep,
  type PairMaker,
  type Trace,
  type TraceContext,
  type TraceNeed,
  type TracePair,
  type TraceStep,
} from "./trace.js";
