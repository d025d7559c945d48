import type { MethodDefinition } from "./define.js";
import { contrastableDpo } from "./contrastable-dpo.js";
import { dap } from "./dap.js";
import { distillationSource } from "./distillation-source.js";
import { ampo } from "./ampo.js";
import { bard } from "./bard.js";
import { distillm } from "./distillm.js";
import { drp } from "./drp.js";
import { fineTuneCot } from "./fine-tune-cot.js";
import { gkd } from "./gkd.js";
import { kdrl } from "./kdrl.js";
import { mentorKd } from "./mentor-kd.js";
import { minillm } from "./minillm.js";
import { onPolicyDistillation } from "./on-policy-distillation.js";
import { redi } from "./redi.js";
import { revthink } from "./revthink.js";
import { rsd } from "./rsd.js";
import { scotd } from "./scotd.js";
import { score } from "./score.js";
import { surrogateRewards } from "./surrogate-rewards.js";
import { taid } from "./taid.js";
import { thinktuning } from "./thinktuning.js";
import { tinyllm } from "./tinyllm.js";
import { vold } from "./vold.js";
import { w2sr } from "./w2sr.js";

/** Every method, one line each: those of the list of papers by number, then the others by name. */
export const methodDefinitions: readonly MethodDefinition[] = [
  w2sr,
  vold,
  drp,
  rsd,
  mentorKd,
  dap,
  contrastableDpo,
  tinyllm,
  bard,
  fineTuneCot,
  kdrl,
  redi,
  distillationSource,
  revthink,
  ampo,
  scotd,
  score,
  thinktuning,
  surrogateRewards,
  distillm,
  gkd,
  minillm,
  onPolicyDistillation,
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
