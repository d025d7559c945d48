import { registerActivations } from "./layers/activations.js";
import { registerAttention } from "./attention/attention.js";
import { registerCast } from "./cast.js";
import { registerDecode } from "./decode/decode.js";
import { registerEmbedding } from "./layers/embedding.js";
import { registerLargeTensors } from "./layers/large-tensors.js";
import { registerLinear } from "./layers/linear.js";
import { registerLosses } from "./losses/losses.js";
import { registerLossesFromHidden } from "./losses/losses-from-hidden.js";
import { registerNorms } from "./layers/norms.js";
import { registerOptimizer } from "./optimizer.js";
import { registerPositionIds } from "./attention/position-ids.js";
import { registerResidualBlocks } from "./layers/residual.js";
import { registerRotary } from "./attention/rotary.js";
import { registerSampling } from "./decode/sample.js";
import { registerStatistics } from "./losses/statistics.js";
import { registerSums } from "./sums.js";

/**
 * Puts the WGSL kernels in place of the composed ones of the `webgpu` backend; call once. Their rooms: `programs` = what a shader
 * is and how it is called, `matmul` = products, `attention` = with positions, `layers` = what a layer is made of and whole
 * ones, `losses` = with statistics, `decode` = a token at a time.
 */
export function registerWebGpuKernels(): void {
  registerCast();
  registerLinear();
  registerLargeTensors();
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
