import { join } from "node:path";
import { applyOverrides, type RunConfig } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { differences } from "./differences.js";
import { readJson } from "../files/read-files.js";
import { readRunConfig, withoutVersions } from "./run-folder.js";
import { parseRunConfig } from "../modules/own-components.js";
import { takeNewTeacher } from "./run-teacher.js";
import { requireTrust, takeTrust } from "../modules/trusted-modules.js";

/** What `pupil train` was asked to do. */
export interface Training {
  readonly config: RunConfig;
  readonly path: string;
  readonly resume: boolean;
  /** Whether it may go on with another teacher. */
  readonly newTeacher: boolean;
}

/** Settings that may differ when a run continues: they do not change what a step computes. */
const changeable = ["trainer.steps", "evaluation", "checkpoint", "backend", "output"];

/**
 * The config of a new run (`config.json key=value …`) or of one that continues (`resume=<folder>`,
 * with or without its config file). Resuming under other settings than the run began with is an
 * error that names them.
 */
export async function resolveTraining(
  configPath: string | undefined,
  words: readonly string[],
): Promise<Training> {
  const all = configPath === undefined ? words : [configPath, ...words];
  const file = configPath?.includes("=") ? undefined : configPath;
  const { trusted, rest: untrusted } = takeTrust(all);
  const { newTeacher, rest } = takeNewTeacher(untrusted);
  const overrides = rest.filter((word) => word !== file && !word.startsWith("resume="));
  const resume = all.find((word) => word.startsWith("resume="))?.slice("resume=".length);
  if (resume !== undefined) {
    return resolveResumed(resume, file, overrides, { trusted, newTeacher });
  }
  if (file === undefined) {
    throw new PupilError("No run config was given.", {
      remedy: "Use: pupil train <config.json> [key=value …], or pupil train resume=<run folder>.",
    });
  }
  const given = applyOverrides(await readJson(file, "run config"), overrides);
  const config = await parseRunConfig(given, file);
  return { config, path: join(config.output, config.name), resume: false, newTeacher };
}

async function resolveResumed(
  path: string,
  file: string | undefined,
  overrides: readonly string[],
  { trusted, newTeacher }: { readonly trusted: boolean; readonly newTeacher: boolean },
): Promise<Training> {
  const stored = withoutVersions(await readRunConfig(path));
  await requireTrust(path, stored, trusted);
  const source = join(path, "config.json");
  const began = await parseRunConfig(stored, source);
  const asked = file === undefined ? stored : await readJson(file, "run config");
  const config = await parseRunConfig(applyOverrides(asked, overrides), file ?? source);
  const mayChange = newTeacher ? [...changeable, "teacher", "trainer.scores"] : changeable;
  const changed = differences(began, config).filter(
    (field) => !mayChange.some((prefix) => field === prefix || field.startsWith(`${prefix}.`)),
  );
  if (changed.length > 0) {
    throw new PupilError(`The run began with another ${changed.join(", ")}.`, {
      field: path,
      remedy: `Leave it as it was, or start a new run. When resuming you can change: ${changeable.join(", ")}${newTeacher ? "" : "; with newTeacher=true also teacher"}.`,
    });
  }
  return { config, path, resume: true, newTeacher };
}
