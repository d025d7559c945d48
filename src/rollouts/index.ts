export * from "./advantages/index.js";
export * from "./replay/index.js";
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
export { type ScoredIds, scoreCompletions } from "./score-completions.js";
export {
  addCosts,
  checkSampler,
  defineSampler,
  findSampler,
  noCost,
  plainSampler,
  requireNeeds,
  requireSampler,
  runSampler,
  type SamplerConfig,
  samplerDefinitions,
  samplerSchema,
  tracesOfRows,
} from "./samplers/index.js";
export type {
  Available,
  GivenTrace,
  Sampled,
  SampledRow,
  SamplerContext,
  SamplerDefinition,
  SamplerNeed,
  SamplingCost,
} from "./samplers/index.js";
