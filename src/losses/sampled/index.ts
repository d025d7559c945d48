export * from "./guided-policy-gradient.js";
export * from "./policy-gradient.js";
export * from "./sampled-reverse-kl.js";
