export { type MatmulTiles, setMatmulTiles } from "./matmul/matmul-program.js";
export { mergeArrays, type MergedProgram } from "./programs/merge-arrays.js";
export { type GpuProgram, sourceOf as shaderSource } from "./programs/program.js";
export { registerWebGpuKernels } from "./register.js";
export type { GpuTensors } from "./programs/registry.js";
