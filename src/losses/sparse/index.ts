export * from "./sampled-kl.js";
export * from "./sparse-kl.js";
