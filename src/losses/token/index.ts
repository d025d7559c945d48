export * from "./cross-entropy.js";
export * from "./forward-kl.js";
export * from "./generalized-jsd.js";
export * from "./reverse-kl.js";
