export { findHubJson, hubJson } from "./hub-model.js";
export { openOnnxSession, type OnnxSource, type OpenedModel } from "./open-session.js";
