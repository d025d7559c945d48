export {
  definePairMaker,
  defineTraceStep,
  type PairMaker,
  type Trace,
  type TraceContext,
  type TracePair,
  type TraceStep,
} from "./trace.js";
