export { WasmBackend } from "./backend.js";
export { startWasmBackend } from "./start.js";
