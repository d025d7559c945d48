export { type MatmulTiles, setMatmulTiles } from "./matmul-program.js";
export { mergeArrays, type MergedProgram } from "./merge-arrays.js";
export { type GpuProgram, sourceOf as shaderSource } from "./program.js";
export { registerWebGpuKernels } from "./register.js";
export type { GpuTensors } from "./registry.js";
