export * from "./generalized-forward-kl.js";
export * from "./generalized-reverse-kl.js";
export * from "./sampled-kl.js";
export * from "./sparse-kl.js";
