export * from "./candidate-cross-entropy.js";
export * from "./lambda-rank.js";
export * from "./list-kl.js";
export * from "./list-mle.js";
export * from "./list-net.js";
export * from "./pairwise-hinge.js";
export * from "./rank-net.js";
