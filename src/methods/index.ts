import type { MethodDefinition } from "./define.js";
import { distillm } from "./anchors/distillm.js";
import { gkd } from "./anchors/gkd.js";
import { minillm } from "./anchors/minillm.js";
import { onPolicyDistillation } from "./anchors/on-policy-distillation.js";
import { taid } from "./anchors/taid.js";
import { contrastableDpo } from "./off-policy/contrastable-dpo.js";
import { dap } from "./off-policy/dap.js";
import { ded } from "./off-policy/ded.js";
import { distillationSource } from "./off-policy/distillation-source.js";
import { drp } from "./off-policy/drp.js";
import { fineTuneCot } from "./off-policy/fine-tune-cot.js";
import { mentorKd } from "./off-policy/mentor-kd.js";
import { redi } from "./off-policy/redi.js";
import { revthink } from "./off-policy/revthink.js";
import { rsd } from "./off-policy/rsd.js";
import { scotd } from "./off-policy/scotd.js";
import { supercorrect } from "./off-policy/supercorrect.js";
import { tinyllm } from "./off-policy/tinyllm.js";
import { w2sr } from "./off-policy/w2sr.js";
import { ampo } from "./on-policy/ampo.js";
import { bard } from "./on-policy/bard.js";
import { kdrl } from "./on-policy/kdrl.js";
import { rlt } from "./on-policy/rlt.js";
import { score } from "./on-policy/score.js";
import { ssb } from "./on-policy/ssb.js";
import { surrogateRewards } from "./on-policy/surrogate-rewards.js";
import { thinktuning } from "./on-policy/thinktuning.js";
import { vold } from "./on-policy/vold.js";
import { dear } from "./reranking/dear.js";

/** Every method, one line each: those of the list of papers by number, then the others by name. */
export const methodDefinitions: readonly MethodDefinition[] = [
  w2sr,
  vold,
  drp,
  rsd,
  supercorrect,
  mentorKd,
  dap,
  contrastableDpo,
  tinyllm,
  ded,
  ssb,
  bard,
  fineTuneCot,
  kdrl,
  dear,
  redi,
  distillationSource,
  revthink,
  ampo,
  scotd,
  score,
  thinktuning,
  surrogateRewards,
  rlt,
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
