import { registerActivations } from "./activations.js";
import { registerAttention } from "./attention.js";
import { registerDecode } from "./decode.js";
import { registerEmbedding } from "./embedding.js";
import { registerLinear } from "./linear.js";
import { registerLosses } from "./losses.js";
import { registerLossesFromHidden } from "./losses-from-hidden.js";
import { registerNorms } from "./norms.js";
import { registerOptimizer } from "./optimizer.js";
import { registerPositionIds } from "./position-ids.js";
import { registerResidualBlocks } from "./residual.js";
import { registerRotary } from "./rotary.js";
import { registerSampling } from "./sample.js";
import { registerStatistics } from "./statistics.js";
import { registerSums } from "./sums.js";

/** Puts the WGSL kernels in place of the composed ones of the `webgpu` backend; call once. */
export function registerWebGpuKernels(): void {
  registerLinear();
  registerNorms();
  registerActivations();
  registerRotary();
  registerEmbedding();
  registerAttention();
  registerResidualBlocks();
  registerLosses();
  registerLossesFromHidden();
  registerStatistics();
  registerSums();
  registerPositionIds();
  registerOptimizer();
  registerSampling();
  registerDecode();
}
