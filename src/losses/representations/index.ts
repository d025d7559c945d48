export * from "./attention-relation.js";
export * from "./hidden-state.js";
export * from "./in-batch-contrastive.js";
export * from "./kv-match.js";
export * from "./neuron-selectivity.js";
