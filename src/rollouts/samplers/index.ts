export {
  addCosts,
  defineSampler,
  noCost,
  type Sampled,
  type SampledRow,
  type SamplerContext,
  type SamplerDefinition,
  type SamplingCost,
} from "./sampler.js";
