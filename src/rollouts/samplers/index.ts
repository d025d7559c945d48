export {
  type Available,
  checkSampler,
  requireAbility,
  requireNeeds,
  requireSampler,
  runSampler,
  type SourceAbility,
} from "./check-sampler.js";
export { findSampler, type SamplerConfig, samplerDefinitions, samplerSchema } from "./list.js";
export { plainSampler } from "./plain.js";
export {
  addCosts,
  defineSampler,
  type GivenTrace,
  noCost,
  type Sampled,
  type SampledRow,
  type SamplerContext,
  type SamplerDefinition,
  type SamplerNeed,
  type SamplingCost,
} from "./sampler.js";
export { tracesOfRows } from "./traces-of-rows.js";
