export { rolloutToSequence } from "./rollout-to-sequence.js";
export { sampleRollouts, type Rollout, type SampleRolloutsOptions } from "./sample-rollouts.js";
export { sampleUniforms } from "./sample-uniforms.js";
export { ownDistribution, samplingPolicySchema, type SamplingPolicy } from "./sampling-policy.js";
