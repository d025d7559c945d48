export * from "./replay.js";
export * from "./replay-state.js";
