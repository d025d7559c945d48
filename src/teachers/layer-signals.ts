import type { LayerSignal, TeacherSignal, TokenSignal } from "./teacher.js";

/** States of layers: what a model in this process gives beside its distributions. */
export const layerSignals: readonly LayerSignal[] = [
  "teacherHiddenStates",
  "teacherAttentions",
  "teacherKeys",
  "teacherValues",
];

/** Whether a signal is said of tokens, and not of a layer. */
export function isTokenSignal(signal: TeacherSignal): signal is TokenSignal {
  return !layerSignals.some((layerSignal) => layerSignal === signal);
}
