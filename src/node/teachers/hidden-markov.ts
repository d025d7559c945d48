import {
  hiddenMarkovLanguage,
  randomHiddenMarkovModel,
  type TeacherConfig,
} from "../../teachers/index.js";
import { Random } from "../../tensors/index.js";
import { loadLanguage } from "./load-language.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type HiddenMarkovTeacherConfig = Extract<TeacherConfig, { type: "hidden-markov" }>;

/** A random hidden Markov model of the run's vocabulary. */
export function loadHiddenMarkovTeacher(config: HiddenMarkovTeacherConfig): Promise<LoadedTeacher> {
  const { states, seed, transitionSharpness, emissionSharpness } = config;
  const note = `hidden Markov model with ${states} states, seed ${seed}`;
  const random = new Random(seed).stream("hidden-markov");
  return Promise.resolve(
    loadLanguage(config, note, ({ vocabSize }) =>
      hiddenMarkovLanguage(
        randomHiddenMarkovModel(
          { vocabSize, states, transitionSharpness, emissionSharpness },
          random,
        ),
      ),
    ),
  );
}
