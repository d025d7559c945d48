export { showRun } from "./terminal/show-run.js";
