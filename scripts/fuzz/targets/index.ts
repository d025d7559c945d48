import type { FuzzTarget } from "../target.js";
import { dataTargets } from "./data.js";
import { modelTargets } from "./models.js";
import { runTargets } from "./runs.js";
import { serverTargets } from "./servers.js";
import { tokenizerTargets } from "./tokenizers.js";

/** Every reader of something that somebody else may have written. */
export const targets: readonly FuzzTarget[] = [
  ...dataTargets,
  ...tokenizerTargets,
  ...modelTargets,
  ...runTargets,
  ...serverTargets,
];
