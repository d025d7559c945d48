import "./dispose-symbol.js";
export { createVariable, keepTensor } from "./variable.js";
export { disposeAll, readScalars, readValues } from "./scope.js";
export {
  isRecording,
  onlyFirstOutputHasGradient,
  reachedGradients,
  runKernel,
  variableGradients,
} from "./engine.js";
export { assertShape } from "./shapes.js";
export { Random, philox } from "./random.js";
