import type { TeacherConfig } from "../../teachers/index.js";
import { loadHttpTeacher } from "./http.js";
import type { LoadedTeacher, TeacherLoader } from "./loaded-teacher.js";
import { loadModelTeacher } from "./model.js";

type Kinds = { readonly [C in TeacherConfig as NonNullable<C["type"]>]: TeacherLoader<C> };

const loaders: Kinds = { model: loadModelTeacher, http: loadHttpTeacher };

/** Loads the teacher that a config names. */
export function loadTeacher(config: TeacherConfig): Promise<LoadedTeacher> {
  const load = loaders[config.type ?? "model"] as TeacherLoader<TeacherConfig>;
  return load(config);
}
