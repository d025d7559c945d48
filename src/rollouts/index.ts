export * from "./advantages/index.js";
export * from "./rewards/index.js";
export { rolloutToSequence } from "./rollout-to-sequence.js";
export type { RowInputs } from "./row-inputs.js";
export {
  sampleFrom,
  type SampleOptions,
  sampleRollouts,
  type Rollout,
  type SampleRolloutsOptions,
} from "./sample-rollouts.js";
export { sampleUniforms } from "./sample-uniforms.js";
export { ownDistribution, samplingPolicySchema, type SamplingPolicy } from "./sampling-policy.js";
export type { TokenSource, TokenStream } from "./token-source.js";
export {
  addCosts,
  defineSampler,
  findSampler,
  noCost,
  plainSampler,
  type SamplerConfig,
  samplerDefinitions,
  samplerSchema,
} from "./samplers/index.js";
export type {
  Sampled,
  SampledRow,
  SamplerContext,
  SamplerDefinition,
  SamplingCost,
} from "./samplers/index.js";
