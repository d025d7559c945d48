import {
  promptedTeacher,
  type TeacherConfig,
  type TeacherDefinition,
} from "../../teachers/index.js";
import { loadBimodalTeacher } from "./bimodal.js";
import { loadHiddenStatesTeacher, readHiddenStatesTeacher } from "./hidden-states.js";
import { loadHiddenMarkovTeacher } from "./hidden-markov.js";
import type { LoadedTeacher, TeacherLoader, TeacherRun } from "./loaded-teacher.js";
import { loadMixtureTeacher } from "./mixture.js";
import { loadHttpTeacher } from "./http.js";
import { loadModelTeacher, readModelTeacher } from "./model.js";
import { loadNGramTeacher } from "./n-gram.js";
import { loadOnnxTeacher } from "./onnx.js";
import { loadOwnTeacher } from "./own.js";
import { loadRecordedTeacher } from "./recorded.js";
import { loadSelfTeacher } from "./self.js";

type Kinds = { readonly [C in TeacherConfig as NonNullable<C["type"]>]: TeacherLoader<C> };

const loaders: Kinds = {
  model: loadModelTeacher,
  self: loadSelfTeacher,
  onnx: loadOnnxTeacher,
  http: loadHttpTeacher,
  recorded: loadRecordedTeacher,
  "hidden-states": loadHiddenStatesTeacher,
  mixture: loadMixtureTeacher,
  "n-gram": loadNGramTeacher,
  "hidden-markov": loadHiddenMarkovTeacher,
  bimodal: loadBimodalTeacher,
};

/**
 * Loads the teacher that a config names.
 *
 * @param own definitions beside the built-in kinds
 */
export async function loadTeacher(
  config: TeacherConfig,
  own: readonly TeacherDefinition[] = [],
): Promise<LoadedTeacher> {
  const definition = own.find(({ name }) => name === config.type);
  if (definition !== undefined) return loadOwnTeacher(definition, config);
  const load = loaders[config.type ?? "model"] as TeacherLoader<TeacherConfig>;
  const loaded = await load(config, (member) => loadTeacher(member, own));
  const prompt = "prompt" in config ? config.prompt : undefined;
  if (prompt === undefined) return loaded;
  const connect = async (run: TeacherRun) =>
    promptedTeacher(await loaded.connect(run), prompt, run.tokenizer);
  return {
    ...loaded,
    get notes() {
      return loaded.notes;
    },
    connect,
  };
}

/**
 * The tokenizer and the longest sequence of a config's teacher. Weights that would be loaded onto the
 * device are not, so no backend is needed.
 */
export async function readTeacherOutline(
  config: TeacherConfig,
  own: readonly TeacherDefinition[] = [],
): Promise<Pick<LoadedTeacher, "tokenizer" | "maxPositions">> {
  const outlines: Kinds = {
    ...loaders,
    model: readModelTeacher,
    "hidden-states": readHiddenStatesTeacher,
  };
  const read = async (part: TeacherConfig): Promise<LoadedTeacher> => {
    const definition = own.find(({ name }) => name === part.type);
    if (definition !== undefined) return loadOwnTeacher(definition, part);
    return (outlines[part.type ?? "model"] as TeacherLoader<TeacherConfig>)(part, read);
  };
  const outline = await read(config);
  outline.dispose();
  return outline;
}
