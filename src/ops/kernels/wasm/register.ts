import { registerAttention } from "./layers/attention.js";
import { registerComparisons } from "./tfjs-ops/compare.js";
import { registerDecode } from "./decode/decode.js";
import { registerElementwise } from "./tfjs-ops/elementwise.js";
import { registerEmbedding } from "./layers/embedding.js";
import { registerLayout } from "./tfjs-ops/layout.js";
import { registerLosses } from "./losses/losses.js";
import { registerLossesFromHidden } from "./losses/losses-from-hidden.js";
import { registerMatMul } from "./tfjs-ops/matmul.js";
import { registerOptimizer } from "./optimizer.js";
import { registerReductions } from "./tfjs-ops/reduce.js";
import { registerResidualBlocks } from "./layers/residual.js";
import { registerSampling } from "./decode/sample.js";
import { registerStatistics } from "./losses/statistics.js";
import { registerTopK } from "./tfjs-ops/top-k.js";
import { registerTransformer } from "./layers/transformer.js";

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
