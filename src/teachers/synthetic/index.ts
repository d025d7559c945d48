export { type BimodalOptions, bimodalLanguage, type ModeMasses, modeMasses } from "./bimodal.js";
export { type ExactLanguage, sequenceLogProbs, stateAfter } from "./exact-language.js";
export { type ExactTeacher, exactTeacher } from "./exact-teacher.js";
export {
  type HiddenMarkovModel,
  type HiddenMarkovOptions,
  hiddenMarkovLanguage,
  randomHiddenMarkovModel,
} from "./hidden-markov.js";
export { nGramLanguage, type NGramOptions, type Smoothing } from "./n-gram.js";
export { languageLogProbs, modelLogProbs, type NextLogProbs } from "./next-log-probs.js";
export { chooseToken, sampleExactly } from "./sample-exactly.js";
export {
  enumerateKl,
  estimateKl,
  type SequenceKl,
  type SequenceSpace,
  tokenKl,
  trueKl,
} from "./true-kl.js";
