/** Seeded random numbers, variables and their gradients, and reads from the device. */
export {
  assertShape,
  createVariable,
  disposeAll,
  keepTensor,
  philox,
  Random,
  readScalars,
  readValues,
  variableGradients,
} from "../tensors/index.js";
