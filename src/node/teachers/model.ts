import { contextLength } from "../../models/index.js";
import { modelTeacher, type TeacherConfig } from "../../teachers/index.js";
import { findModelFolder } from "../find-model.js";
import { describeUnknownKeys, loadModelFolder } from "../model-folder.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type ModelTeacherConfig = Extract<TeacherConfig, { type?: "model" | undefined }>;

/** A model folder as teacher, in this process. */
export async function loadModelTeacher(config: ModelTeacherConfig): Promise<LoadedTeacher> {
  const { type: _type, from, prompt: _prompt, ...options } = config;
  const loaded = await loadModelFolder(await findModelFolder(from));
  const { model, tokenizer } = loaded;
  const parameters = model.numParameters.toLocaleString("en-US");
  return {
    tokenizer,
    maxPositions: contextLength(model.config),
    notes: [
      `Teacher: ${parameters} parameters from ${from}.`,
      ...describeUnknownKeys(loaded, from),
    ],
    connect: () => Promise.resolve(modelTeacher(model, from, options)),
    dispose: () => model.dispose(),
  };
}
