import {
  hiddenMarkovLanguage,
  randomHiddenMarkovModel,
  type TeacherConfig,
} from "../../teachers/index.js";
import { loadLanguage } from "./load-language.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type HiddenMarkovTeacherConfig = Extract<TeacherConfig, { type: "hidden-markov" }>;

/** A random hidden Markov model of the run's vocabulary. */
export function loadHiddenMarkovTeacher(config: HiddenMarkovTeacherConfig): Promise<LoadedTeacher> {
  const note = `hidden Markov model with ${config.states} states, seed ${config.seed}`;
  return Promise.resolve(
    loadLanguage(config, note, ({ vocabSize }) =>
      hiddenMarkovLanguage(randomHiddenMarkovModel({ ...config, vocabSize })),
    ),
  );
}
