export { rolloutToSequence } from "./rollout-to-sequence.js";
export { sampleRollouts, type Rollout, type SampleRolloutsOptions } from "./sample-rollouts.js";
export { gumbelNoise, sampleTokens } from "./sample-tokens.js";
export { ownDistribution, samplingPolicySchema, type SamplingPolicy } from "./sampling-policy.js";
