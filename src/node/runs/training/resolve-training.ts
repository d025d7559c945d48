import { join } from "node:path";
import { applyOverrides, type RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { differences } from "../folder/differences.js";
import { exists } from "../../files/file-exists.js";
import { readConfigFile } from "../../files/read-config.js";
import { readRunConfig, refuseOwnLoop, withoutVersions } from "../folder/run-folder.js";
import { parseRunConfig } from "../../modules/own-components.js";
import { takeNewTeacher } from "../models/run-teacher.js";
import { isOfRun, requireTrust, takeTrust } from "../../modules/trusted-modules.js";

/** What `pupil train` was asked to do. */
export interface Training {
  readonly config: RunConfig;
  readonly path: string;
  readonly resume: boolean;
  /** Whether it may go on with another teacher. */
  readonly newTeacher: boolean;
  /** What was done with the config that its writer may not expect. */
  readonly notes: readonly string[];
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
      remedy:
        "Use: pupil train <config.json> [key=value …], or pupil train resume=<run folder>. `pupil init` writes a config.",
    });
  }
  if (await exists(join(file, "config.json"))) {
    throw new PupilError("This is a folder of a run or a model, not a run config.", {
      field: file,
      remedy: `A run is continued with resume=${file}; a model is named in a config: student.from=${file}.`,
    });
  }
  const { asked, notes } = await readAsked(file, trusted);
  const config = await parseRunConfig(applyOverrides(asked, overrides), file);
  return { config, path: join(config.output, config.name), resume: false, newTeacher, notes };
}

/** A config file; that of a run folder says besides what the run was made with. */
async function readAsked(
  file: string,
  trusted: boolean,
): Promise<{ asked: unknown; notes: string[] }> {
  const given = await readConfigFile(file, "run config");
  const asked = withoutVersions(given);
  if (!isOfRun(given)) return { asked, notes: [] };
  await requireTrust(file, asked, trusted);
  const note = `${file} is of a run that was made before: its "versions" have no say in a new one.`;
  return { asked, notes: [note] };
}

async function resolveResumed(
  path: string,
  file: string | undefined,
  overrides: readonly string[],
  { trusted, newTeacher }: { readonly trusted: boolean; readonly newTeacher: boolean },
): Promise<Training> {
  const read = await readRunConfig(path);
  refuseOwnLoop(path, read);
  const stored = withoutVersions(read);
  const source = join(path, "config.json");
  await requireTrust(source, stored, trusted);
  const began = await parseRunConfig(stored, source);
  const { asked } = file === undefined ? { asked: stored } : await readAsked(file, trusted);
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
  return { config, path, resume: true, newTeacher, notes: [] };
}
