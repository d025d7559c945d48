export { checkedProducts } from "./matmul/matrix-check.js";
export { matrixBlock, type MatrixShape, setSubgroupMatrices } from "./matmul/matrix-shape.js";
export { type MatmulTiles, setMatmulTiles } from "./matmul/tiles.js";
export { halfCheck, type HalfCheck } from "./programs/half-check.js";
export {
  canReadHalves,
  type Largest,
  narrowed,
  readingHalves,
  widened,
} from "./programs/halves.js";
export { mergeArrays, type MergedProgram } from "./programs/merge-arrays.js";
export {
  arrayOf,
  bytesOfElement,
  type GpuProgram,
  sourceOf as shaderSource,
} from "./programs/program.js";
export { splitArrays } from "./programs/split-arrays.js";
export { setSubgroups } from "./programs/reductions.js";
export { reducedRows, reducesRight, valuesToReduce } from "./programs/subgroup-check.js";
export { registerWebGpuKernels } from "./register.js";
export type { GpuTensors } from "./programs/registry.js";
