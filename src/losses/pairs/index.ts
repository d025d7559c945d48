export * from "./dpo.js";
export * from "./ipo.js";
export * from "./redi.js";
export * from "./rpo.js";
export * from "./simpo.js";
export * from "./thought-path-contrastive.js";
export * from "./triplet.js";
