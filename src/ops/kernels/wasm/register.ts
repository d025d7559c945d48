import { registerAttention } from "./attention.js";
import { registerComparisons } from "./compare.js";
import { registerDecode } from "./decode.js";
import { registerElementwise } from "./elementwise.js";
import { registerEmbedding } from "./embedding.js";
import { registerLayout } from "./layout.js";
import { registerLosses } from "./losses.js";
import { registerLossesFromHidden } from "./losses-from-hidden.js";
import { registerMatMul } from "./matmul.js";
import { registerOptimizer } from "./optimizer.js";
import { registerReductions } from "./reduce.js";
import { registerResidualBlocks } from "./residual.js";
import { registerSampling } from "./sample.js";
import { registerStatistics } from "./statistics.js";
import { registerTopK } from "./top-k.js";
import { registerTransformer } from "./transformer.js";

/** Puts the engine's kernels in place of the JavaScript ones of the `wasm` backend; call once. */
export function registerWasmKernels(): void {
  registerMatMul();
  registerElementwise();
  registerComparisons();
  registerReductions();
  registerLayout();
  registerEmbedding();
  registerTransformer();
  registerAttention();
  registerResidualBlocks();
  registerLosses();
  registerLossesFromHidden();
  registerOptimizer();
  registerDecode();
  registerSampling();
  registerStatistics();
  registerTopK();
}
