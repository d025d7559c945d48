/** Seeded random numbers, variables, and reads from the device. */
export {
  assertShape,
  createVariable,
  disposeAll,
  keepTensor,
  philox,
  Random,
  readScalars,
  readValues,
} from "../tensors/index.js";
