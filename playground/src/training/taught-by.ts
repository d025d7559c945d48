import { presets } from "./presets.js";
import type { LoadedFacts } from "./protocol.js";
import {
  givenTeacherPath,
  type Json,
  type JsonObject,
  type Settings,
  valueAt,
  withValue,
} from "./settings.js";

const teacher = { type: "model", from: givenTeacherPath };

/**
 * Settings in which the run learns from the teacher that was given: data that its tokenizer knows, and its tokenizer.
 * Everything else stays, but where the students were made for two planted modes.
 */
export function taughtBy(
  settings: Settings,
  { tasks, readsText }: Pick<LoadedFacts, "tasks" | "readsText">,
): Settings {
  const isOfModes = valueAt(settings.config, "teacher.type") === "bimodal";
  const { config, text, ...rest } = isOfModes ? presets.text.settings : settings;
  const task = valueAt(config, "data.task.type");
  const isText = valueAt(config, "data.type") === "text";
  const fits = isText ? readsText : tasks.includes(String(task));
  const [firstTask] = tasks;
  const data: Json | undefined = fits
    ? config["data"]
    : readsText || firstTask === undefined
      ? presets.text.settings.config["data"]
      : { type: "task", task: { type: firstTask } };
  const { tokenizer: _tokenizer, ...others } = config;
  const taught = withValue(withValue(others, "teacher", teacher), "data", data) as JsonObject;
  const usesText = valueAt(taught, "data.type") === "text";
  return {
    ...rest,
    config: taught,
    ...(usesText && { text: text ?? { sample: "verse" } }),
  };
}
