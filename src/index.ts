/** The browser-safe core of pupil. Files, runs and the command line are in `pupil/node`. */
export * from "./backend/index.js";
export * from "./config/index.js";
export * from "./data/index.js";
export * from "./errors/index.js";
export * from "./losses/index.js";
export * from "./methods/index.js";
export * from "./models/index.js";
export * from "./ops/index.js";
export * from "./optim/index.js";
export * from "./rollouts/index.js";
export * from "./statistics/index.js";
export * from "./teachers/index.js";
export * from "./tensors/index.js";
export * from "./trainers/index.js";
