import type { MethodDefinition } from "./define.js";
import { ampo } from "./ampo.js";
import { distillm } from "./distillm.js";
import { gkd } from "./gkd.js";
import { redi } from "./redi.js";
import { score } from "./score.js";
import { taid } from "./taid.js";
import { thinktuning } from "./thinktuning.js";

/** Every method, one line each: those of the list of papers by number, then the others by name. */
export const methodDefinitions: readonly MethodDefinition[] = [
  redi,
  ampo,
  score,
  thinktuning,
  distillm,
  gkd,
  taid,
];

export * from "./blocks/index.js";
export {
  type Capability,
  defineMethod,
  type MethodComparison,
  type MethodDefinition,
  type OfSettings,
  ofSettings,
  type PaperSetting,
  type Provenance,
} from "./define.js";
export { findMethod, methodComponents } from "./find-method.js";
export { shrink } from "./shrink.js";
