export { type MatmulTiles, setMatmulTiles } from "./matmul/matmul-program.js";
export { halfCheck, type HalfCheck } from "./programs/half-check.js";
export {
  canReadHalves,
  type Largest,
  narrowed,
  readingHalves,
  widened,
} from "./programs/halves.js";
export { mergeArrays, type MergedProgram } from "./programs/merge-arrays.js";
export { type GpuProgram, sourceOf as shaderSource } from "./programs/program.js";
export { setSubgroups } from "./programs/reductions.js";
export { reducedRows, reducesRight, valuesToReduce } from "./programs/subgroup-check.js";
export { registerWebGpuKernels } from "./register.js";
export type { GpuTensors } from "./programs/registry.js";
