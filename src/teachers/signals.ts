/** What is said of tokens: everything about next tokens, for teachers that know whole distributions. */
export const tokenSignals = [
  "teacherLogits",
  "teacherTokenLogProbs",
  "teacherTokenIds",
  "teacherTopLogProbs",
  "teacherSampleLogProbs",
] as const;
export type TokenSignal = (typeof tokenSignals)[number];

/** States of layers: what a model in this process gives beside its distributions. */
export const layerSignals = [
  "teacherHiddenStates",
  "teacherAttentions",
  "teacherKeys",
  "teacherValues",
] as const;
/** Which layers is said in the `ScoreContext`. */
export type LayerSignal = (typeof layerSignals)[number];

/** Loss inputs that a teacher can give about given tokens. */
export const teacherSignals = [...tokenSignals, ...layerSignals] as const;
export type TeacherSignal = (typeof teacherSignals)[number];

/** Whether a signal is said of tokens, and not of a layer. */
export function isTokenSignal(signal: TeacherSignal): signal is TokenSignal {
  return tokenSignals.some((tokenSignal) => tokenSignal === signal);
}
