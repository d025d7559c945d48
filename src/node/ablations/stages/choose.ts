import { cp, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Choice } from "../../../config/index.js";
import { oneOf, PupilError } from "../../../errors/index.js";
import { writeFileAtomic } from "../../files/atomic.js";
import { exists } from "../../files/file-exists.js";
import { toJson, withNumbers } from "../../files/json.js";
import { readJsonObject } from "../../files/read-files.js";
import { lockName } from "../../runs/folder/run-lock.js";
import { choiceFile, type PlannedChoice, type PlannedStage } from "./stage.js";

/** `choice.json`. */
interface ChoiceResult extends Pick<Choice, "metric" | "direction"> {
  readonly chosen: string;
  /** The measure of every candidate. */
  readonly scores: Readonly<Record<string, number>>;
}

/** What a stage chose. */
export interface StageChoice extends ChoiceResult {
  readonly stage: PlannedStage;
}

/**
 * Copies what the best candidate made into a folder, with `choice.json`. Of equal candidates the first is
 * taken; one whose measure is not a number is taken by nobody.
 *
 * @throws PupilError for a measure that a candidate lacks, and where none is a number
 */
export async function makeChoice(choice: PlannedChoice, folder: string): Promise<void> {
  const { metric, direction, candidates, makes } = choice;
  const scores: Record<string, number> = {};
  for (const [name, { score }] of Object.entries(candidates)) {
    scores[name] = await measureOf(score, metric, name);
  }
  const sign = direction === "highest" ? 1 : -1;
  const [best] = Object.entries(scores)
    .filter(([, score]) => !Number.isNaN(score))
    .sort(([, a], [, b]) => (a === b ? 0 : sign * (b - a)));
  if (best === undefined) {
    throw new PupilError(`"${metric}" is not a number for any candidate.`, {
      field: "metric",
      value: metric,
      remedy: "See the logs of the runs that score: they may have diverged.",
    });
  }
  const [chosen] = best;
  const take = candidates[chosen]?.take ?? "";
  await rm(folder, { recursive: true, force: true });
  await cp(makes === "run" ? take : dirname(take), folder, {
    recursive: true,
    filter: (path) => ![choiceFile, "stage.json", lockName].includes(basename(path)),
  });
  const result: ChoiceResult = { chosen, metric, direction, scores };
  await writeFileAtomic(join(folder, choiceFile), `${toJson(result, 2)}\n`);
}

/** A measure of a finished run, or of a collect by the path of its rows. */
async function measureOf(product: string, metric: string, name: string): Promise<number> {
  const isRows = basename(product) === "rows.jsonl";
  const file = isRows ? join(dirname(product), "collect.json") : join(product, "summary.json");
  const { final, measures } = withNumbers(await readJsonObject(file, "measures")) as Measured;
  const measured = (isRows ? measures : final) ?? {};
  const value = Object.hasOwn(measured, metric) ? measured[metric] : undefined;
  if (typeof value === "number") return value;
  const names = Object.keys(measured).filter((key) => typeof measured[key] === "number");
  throw new PupilError(`what scores "${name}" has not measured it.`, {
    field: "metric",
    value: metric,
    remedy: names.length === 0 ? "It measured nothing." : oneOf(metric, names),
  });
}

type Measured = Partial<Record<"final" | "measures", Readonly<Record<string, unknown>>>>;

/** What those of the stages chose that have chosen. */
export async function readChoices(stages: readonly PlannedStage[]): Promise<StageChoice[]> {
  const found: StageChoice[] = [];
  for (const stage of stages) {
    const file = join(stage.folder, choiceFile);
    if (stage.kind !== "choose" || !(await exists(file))) continue;
    found.push({ stage, ...(withNumbers(await readJsonObject(file, "choice")) as ChoiceResult) });
  }
  return found;
}
