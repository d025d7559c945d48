/** What `pupil train` shows of a run, for loops of one's own. */
export { showRun } from "../cli/index.js";
