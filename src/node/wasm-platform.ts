import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { type EnginePlatform, relaxedProbe, webAssembly } from "../ops/index.js";
import { nativeKernels } from "./native-kernels.js";

const folder = new URL("../ops/kernels/wasm/build/", import.meta.url);

// A string, not a file: it runs the same from sources, from dist and under a test runner.
const workerSource = `
const { workerData } = require("node:worker_threads");
const { module, memory, scratch } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.setUp(scratch, 0, true);
exports.work();
`;

/** The CPU engine's surroundings in Node: files, worker threads, and the switch for relaxed SIMD. */
export const nodeWasmPlatform: EnginePlatform = {
  numCores: threadsAllowed() ?? availableParallelism(),
  mayBlock: true,
  sharesMemory: true,
  supportsRelaxedSimd() {
    if (webAssembly.validate(relaxedProbe)) return true;
    // Node 20 has it behind a flag; later versions, which do not know the flag, have it anyway.
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    return webAssembly.validate(relaxedProbe);
  },
  loadKernels: (file) => readFile(new URL(file, folder)),
  nativeKernels,
  startWorker(task) {
    const worker = new Worker(workerSource, { eval: true, workerData: task });
    // A sleeping thread must not keep the process alive.
    worker.unref();
    return { terminate: () => void worker.terminate() };
  },
};

/** `PUPIL_THREADS`: for several processes side by side, of which each should take its share. */
function threadsAllowed(): number | undefined {
  const given = Number(process.env["PUPIL_THREADS"]);
  return Number.isInteger(given) && given >= 1 ? given : undefined;
}
