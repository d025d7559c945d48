import { applyOverrides, parseConfig, prontoqaJudge, seedList } from "../../../config/index.js";
import { taskSource } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import {
  type Capability,
  isTask,
  type MethodDefinition,
  ofSettings,
  type Problems,
  shrink,
} from "../../../methods/index.js";
import { makePlan, type PlanOptions } from "../plan.js";
import { loadOwnData, namesOwnData, type OwnData, withOwnData } from "./own-data.js";
import type { AblationDraft, AblationPlan, PlannedArm, SettingRow } from "../planned.js";

export interface PlanMethodOptions extends PlanOptions {
  /** As small as it gets: to see whether it works, not what it reaches. */
  readonly smoke?: boolean;
}

const defaultSeeds = 3;

/**
 * The plan of a method, see {@link makePlan}.
 *
 * @param words `key=value` for its settings; `data=<file>`, `data.…=` and `verifier.…=` for problems of
 *   one's own; `tasks=<file>` and `verifiers=<file>` for modules with tasks and verifiers that those can name;
 *   `tokenizer.…=` for what all of its models read
 * @throws PupilError also for what is wrong with the settings, and for problems that cannot do what the
 *   method needs
 */
export async function planMethod(
  given: MethodDefinition,
  words: readonly string[],
  options: PlanMethodOptions = {},
): Promise<AblationPlan> {
  const own = await loadOwnData(words.filter(namesOwnData), given.name);
  const method = withOwnData(given, own);
  const { name, title, paper, fidelity, note, fairness } = method;
  const { smoke = false, seeds = defaultSeeds } = options;
  const others = words.filter((word) => !namesOwnData(word));
  const settings = readSettings(method, others, smoke);
  const problems = settings["problems"] as Problems | undefined;
  requireCapabilities(method, problems, own);
  const baseline = ofSettings(method.baseline, settings);
  const made = Object.entries(method.arms(settings));
  if (made.length < 2) {
    throw new PupilError(`${made.length} arm is nothing to compare.`, { field: `${name}: arms` });
  }
  const arms = made.map(
    ([arm, stages]): PlannedArm => ({
      ...{ name: arm, changes: {} },
      stages: smoke ? stages.map(shrink) : stages,
    }),
  );
  const comparisons = ofSettings(method.comparisons, settings).map((part) =>
    "derived" in part ? part : { ...part, baseline: part.baseline ?? baseline },
  );
  requireVerifier(name, problems, comparisons);
  const derived = method.derived && ofSettings(method.derived, settings);
  const metrics = method.metrics && ofSettings(method.metrics, settings);
  const draft: AblationDraft = {
    ...{ name, source: name, arms, baseline, metrics, derived, isPlain: false },
    // Rows of files are not longer than in training, and have no pairs to measure.
    metricsMayLack: problems !== undefined && !isTask(problems),
    seeds: seedList(seeds),
    claim: { text: method.claim, comparisons },
    about: {
      ...{ number: method.number, title, paper, fidelity, note },
      fairness: `Equal in all arms: ${fairness.equal}. ${fairness.note}`,
      settings: settingRows(method, settings),
    },
  };
  return makePlan(draft, options);
}

type Settings = Readonly<Record<string, unknown>>;

/** The defaults with `key=value` applied, so that `problems.task.maxHops=3` changes the default task. */
function readSettings(
  { name, settings, smoke: small = {} }: MethodDefinition,
  words: readonly string[],
  smoke: boolean,
): Settings {
  const own = words.filter((word) => /^(data|verifier)[.=]/.test(word));
  const defaults = settings.parse(smoke ? small : {}) as Settings;
  const rest = words.filter((word) => !own.includes(word));
  const base =
    own.length === 0 ? withoutOthers(defaults, rest) : { ...defaults, problems: ownProblems(own) };
  return parseConfig(settings, applyOverrides(base, rest), name) as Settings;
}

/** Problems of another type, or another task, have other options than the default ones. */
function withoutOthers(defaults: Settings, words: readonly string[]): Settings {
  const problems = defaults["problems"] as Problems | undefined;
  const asked = (key: string) =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const type = asked("problems.type") ?? problems?.type;
  if (problems === undefined) return defaults;
  if (type !== problems.type) return { ...defaults, problems: { type } };
  const task = asked("problems.task.type");
  if (problems.type !== "task" || (task ?? problems.task.type) === problems.task.type) {
    return defaults;
  }
  return { ...defaults, problems: { ...problems, task: { type: task } } };
}

/** `data=my.jsonl data.fields.prompt=question verifier.type=number` as a dataset of the type `file`. */
function ownProblems(words: readonly string[]): unknown {
  const fields = words.map((word) => word.replace(/^data=/, "path=").replace(/^data\./, ""));
  return applyOverrides({ type: "file" }, fields);
}

const meanings: Readonly<Record<Capability, string>> = {
  completion: "a worked solution of each problem",
  solve: "solutions by rule, in several styles and with errors",
  checkSteps: "a judgement of every step of a solution",
  continueFrom: "right endings of solutions that were begun",
  respond: "answers to the student's actions",
};

function requireCapabilities(
  { name, needs = [] }: MethodDefinition,
  problems: Problems | undefined,
  own: OwnData,
): void {
  if (problems === undefined) return;
  // Whether rows have completions is seen where they are read.
  const asked = needs.filter((need) => need !== "completion");
  const isTask = problems.type === "task";
  const source = isTask
    ? taskSource(problems.task, { own: own.components.tasks })
    : problems.type === "prontoqa"
      ? prontoqaJudge()
      : undefined;
  const missing = asked.find((need) => source?.[need as "solve"] === undefined);
  if (missing === undefined) return;
  const what = isTask ? `the task "${problems.task.type}"` : "rows of a file";
  throw new PupilError(`needs ${meanings[missing]}, which ${what} cannot give.`, {
    field: `${name}: problems`,
    value: missing,
    remedy: isTask
      ? "Choose another task: problems.task.type=…"
      : `Only tasks can: leave data= out. The capability is called "${missing}".`,
  });
}

/** A claim about right answers asks for someone who tells them: tasks do, rows need a verifier. */
function requireVerifier(
  name: string,
  problems: Problems | undefined,
  comparisons: readonly object[],
): void {
  const isRows =
    problems?.type === "file" || problems?.type === "jsonl" || problems?.type === "hub";
  const ofAnswers = /\.(accuracy|pass|maj)/;
  const asks = comparisons.some((part) => "metric" in part && ofAnswers.test(String(part.metric)));
  if (!isRows || problems.verifier !== undefined || !asks) return;
  throw new PupilError("its claim is about right answers, and nobody says which are right.", {
    field: `${name}: problems.verifier`,
    remedy:
      "Name a verifier, and the field with the answers: verifier.type=number data.fields.answer=answer " +
      "(pupil describe verifier lists them).",
  });
}

/**
 * Every setting, and what else the paper says, with ours beside it.
 *
 * @param settings default: the method's own
 */
export function settingRows(
  { paperSettings, settings: schema }: MethodDefinition,
  settings: Settings = schema.parse({}) as Settings,
): SettingRow[] {
  const names = [...new Set([...Object.keys(schema.shape), ...Object.keys(paperSettings)])];
  return names.map((name): SettingRow => {
    const paper = paperSettings[name];
    const isUnverified = describes(schema.shape[name])?.startsWith("[REC]") === true;
    return {
      name,
      ours: name in settings ? JSON.stringify(settings[name]) : (paper?.here ?? "—"),
      paper: paper && String(paper.value),
      source: paper?.source ?? (isUnverified ? "REC" : undefined),
    };
  });
}

const describes = (field: unknown) => (field as { description?: string } | undefined)?.description;
