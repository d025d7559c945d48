import type { TeacherConfig } from "../../teachers/index.js";
import { loadBimodalTeacher } from "./bimodal.js";
import { loadHiddenMarkovTeacher } from "./hidden-markov.js";
import type { LoadedTeacher, TeacherLoader } from "./loaded-teacher.js";
import { loadMixtureTeacher } from "./mixture.js";
import { loadModelTeacher } from "./model.js";
import { loadNGramTeacher } from "./n-gram.js";
import { loadRecordedTeacher } from "./recorded.js";

type Kinds = { readonly [C in TeacherConfig as NonNullable<C["type"]>]: TeacherLoader<C> };

const loaders: Kinds = {
  model: loadModelTeacher,
  recorded: loadRecordedTeacher,
  mixture: loadMixtureTeacher,
  "n-gram": loadNGramTeacher,
  "hidden-markov": loadHiddenMarkovTeacher,
  bimodal: loadBimodalTeacher,
};

/** Loads the teacher that a config names. */
export function loadTeacher(config: TeacherConfig): Promise<LoadedTeacher> {
  const load = loaders[config.type ?? "model"] as TeacherLoader<TeacherConfig>;
  return load(config, loadTeacher);
}
