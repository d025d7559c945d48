export { SCRATCH_BYTES, setUp, stopWorkers, work } from "./threads";
export { matmul } from "./matmul";
