import {
  applyOverrides,
  parseConfig,
  type RecordOptions,
  recordOptionsSchema,
  type RunConfig,
} from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { resolveRunConfig } from "../runs/evaluate-run.js";

/**
 * Tells `output=…` and the other options of a recording from overrides of the run config.
 *
 * @throws PupilError for a missing output or a value that is not allowed
 */
export async function resolveRecording(
  path: string,
  words: readonly string[],
): Promise<{ config: RunConfig; options: RecordOptions }> {
  const names = Object.keys(recordOptionsSchema.shape);
  const isOption = (word: string) => names.includes(word.split(/[.=]/, 1)[0] as string);
  const given = applyOverrides({}, words.filter(isOption)) as Record<string, unknown>;
  if (given["output"] === undefined) {
    throw new PupilError("There is no folder to record into.", {
      field: "output",
      remedy: "Use: pupil record-teacher <config.json> output=<folder> [key=value …].",
    });
  }
  const options = parseConfig(recordOptionsSchema, given, "record-teacher");
  const overrides = words.filter((word) => !isOption(word));
  const { config } = await resolveRunConfig(path, overrides);
  return { config, options };
}
