export {
  findSampler,
  type SamplerConfig,
  samplerDefinitions,
  samplerSchema,
} from "./list.js";
export { plainSampler } from "./plain.js";
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
