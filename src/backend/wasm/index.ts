export { WasmBackend } from "./backend.js";
export { startWasmBackend } from "./start.js";
export { webWasmPlatform } from "./web-platform.js";
