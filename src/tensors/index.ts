import "./dispose-symbol.js";
export { createVariable, keepTensor } from "./variable.js";
export {
  identityOf,
  recorded,
  type RecordedCall,
  type RecordedResult,
  type RecordingBackend,
  repeatsCalls,
} from "./recorded.js";
export { HostValues } from "./host-values.js";
export { type HalfHoldingBackend, holdAsHalves, holdsHalves } from "./half-storage.js";
export {
  bucketedLength,
  bucketedRows,
  bucketStep,
  roundsLengths,
  type SizeKeepingBackend,
} from "./length-buckets.js";
export { disposeAll, readScalars, readStacked, readValues, stackScalars } from "./scope.js";
export {
  isRecording,
  onlyFirstOutputHasGradient,
  reachedGradients,
  runKernel,
  variableGradients,
} from "./engine.js";
export { assertShape } from "./shapes.js";
export { Random, philox } from "./random.js";
