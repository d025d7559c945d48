import { promptedTeacher, type TeacherConfig } from "../../teachers/index.js";
import type { LoadedTeacher, TeacherLoader, TeacherRun } from "./loaded-teacher.js";
import { loadModelTeacher } from "./model.js";
import { loadOnnxTeacher } from "./onnx.js";
import { loadSelfTeacher } from "./self.js";

type Kinds = { readonly [C in TeacherConfig as NonNullable<C["type"]>]: TeacherLoader<C> };

const loaders: Kinds = {
  model: loadModelTeacher,
  self: loadSelfTeacher,
  onnx: loadOnnxTeacher,
};

/** Loads the teacher that a config names. */
export async function loadTeacher(config: TeacherConfig): Promise<LoadedTeacher> {
  const load = loaders[config.type ?? "model"] as TeacherLoader<TeacherConfig>;
  const loaded = await load(config);
  const prompt = "prompt" in config ? config.prompt : undefined;
  if (prompt === undefined) return loaded;
  const connect = async (run: TeacherRun) =>
    promptedTeacher(await loaded.connect(run), prompt, run.tokenizer);
  return { ...loaded, connect };
}
