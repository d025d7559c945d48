import { PupilError } from "pupil";
import {
  isObject,
  type Json,
  type JsonObject,
  type Settings,
  textPath,
  valueAt,
  withValue,
} from "./settings.js";

/**
 * A config file that somebody pasted, in place of the one that the page has.
 *
 * @throws PupilError for what is no run config
 */
export function adopted(
  text: string,
  { text: ownText, ownLoss }: Settings,
): { settings: Settings; notes: string[] } {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    throw new PupilError(`This is no JSON: ${(error as Error).message}`, { field: "config" });
  }
  if (!isObject(json)) throw new PupilError("is no object.", { field: "config" });
  const notes: string[] = [];
  const { versions: _versions, ...given } = json;
  let config: JsonObject = given;
  for (const path of ["data.path", "teacher.path"]) {
    const value = valueAt(config, path);
    if (typeof value !== "string" || value === textPath) continue;
    notes.push(`${path}: ${value} is not here. Its text is what stands in the field below "Data".`);
    config = withValue(config, path, textPath) as JsonObject;
  }
  const trainer = valueAt(config, "trainer.type");
  if (trainer === "sft") {
    notes.push('trainer.type "sft" is here "distill" with rows of the data alone.');
    config = withValue(config, "trainer.type", "distill") as JsonObject;
    config = withValue(config, "trainer.onPolicyFraction", 0) as JsonObject;
    if (valueAt(config, "trainer.loss") === undefined) {
      config = withValue(config, "trainer.loss", [{ type: "cross-entropy" }]) as JsonObject;
    }
  }
  if (valueAt(config, "teacher") === undefined) {
    notes.push("It has no teacher: here the student before training is one, to be compared with.");
    config = withValue(config, "teacher", { type: "self", emaDecay: 1 }) as JsonObject;
  }
  const needsText = valueAt(config, "data.type") === "text" || valueAt(config, "teacher.path");
  return {
    settings: {
      config,
      ...(needsText && { text: ownText ?? { sample: "verse" } }),
      ...(config["losses"] !== undefined && ownLoss !== undefined && { ownLoss }),
    },
    notes,
  };
}
