import { dirname, resolve } from "node:path";
import {
  type AblationFile,
  ablationSchema,
  applyOverrides,
  type Arm,
  baselineOf,
  chainOf,
  expandArms,
  parseConfig,
  seedList,
  type Stage,
} from "../../config/index.js";
import { oneOf, PupilError } from "../../errors/index.js";
import { readConfigFile } from "../files/read-config.js";
import { makePlan, type PlanOptions } from "./plan.js";
import type { AblationPlan, PlannedArm } from "./planned.js";

/**
 * The plan of an ablation file, see {@link makePlan}.
 *
 * @param overrides `key=value` for all arms; with stages, keys begin with a stage's name
 * @throws PupilError also for what is wrong with the file
 */
export async function planAblation(
  path: string,
  overrides: readonly string[],
  options: PlanOptions = {},
): Promise<AblationPlan> {
  const file = parseConfig(ablationSchema, await readConfigFile(path, "ablation"), path);
  const { name, metrics, derived, claim, stop } = file;
  const isPlain = file.stages === undefined;
  if (isPlain === (file.run === undefined)) {
    throw new PupilError("an ablation has either a run or stages.", {
      field: path,
      remedy: 'Give "run", the config that all arms begin with, or "stages", by name.',
    });
  }
  const arms = expandArms(file, path);
  const baseline = baselineOf(arms, file.baseline, path);
  const planned = isPlain
    ? await plainArms(file, arms, path, overrides)
    : await stagedArms(file, arms, path, overrides);
  const draft = {
    ...{ name, source: path, arms: planned, baseline, metrics, derived, isPlain, stop },
    seeds: seedList(options.seeds ?? file.seeds),
    claim: claim && {
      text: claim.text,
      comparisons: claim.comparisons.map((part) =>
        "derived" in part ? part : { ...part, baseline: part.baseline ?? baseline },
      ),
    },
  };
  return makePlan(draft, options);
}

type Config = Readonly<Record<string, unknown>>;

async function plainArms(
  file: AblationFile,
  arms: readonly Arm[],
  path: string,
  overrides: readonly string[],
): Promise<PlannedArm[]> {
  const base = applyOverrides(await readPart(file.run, path, "run config"), overrides);
  return arms.map(({ name, changes }) => {
    const run = applyOverrides(base, wordsOf(changes)) as Stage["run"];
    return { name, changes, stages: [{ name: "run", run } as Stage] };
  });
}

async function stagedArms(
  file: AblationFile,
  arms: readonly Arm[],
  path: string,
  overrides: readonly string[],
): Promise<PlannedArm[]> {
  const stages = file.stages ?? {};
  const names = Object.keys(stages);
  const base: Record<string, unknown> = {};
  for (const [name, { run, collect, choose }] of Object.entries(stages)) {
    const what = run === undefined ? "collect config" : "run config";
    base[name] = await readPart(run ?? collect ?? choose, path, what);
  }
  for (const word of overrides) requireStage(word, names, word);
  const changed = applyOverrides(base, overrides);
  return arms.map(({ name, changes }) => {
    const { last = names.at(-1), ...rest } = changes;
    const field = `${path}: arms.${name}`;
    for (const key of Object.keys(rest)) requireStage(key, names, `${field}.${key}`);
    const configs = applyOverrides(changed, wordsOf(rest)) as Record<string, Config>;
    const own = Object.fromEntries(
      Object.entries(stages).map(([stage, { run, choose, once }]) => {
        const kind = run !== undefined ? "run" : choose === undefined ? "collect" : "choose";
        return [stage, { name: stage, [kind]: configs[stage], once } as Stage];
      }),
    );
    const chain = chainOf(own, String(last), field);
    requireUse(Object.keys(rest), chain, field);
    return { name, changes, stages: chain };
  });
}

/** Overrides of a stage that the arm does not have would change nothing. */
function requireUse(keys: readonly string[], chain: readonly Stage[], field: string): void {
  const idle = keys.find((key) => chain.every(({ name }) => name !== key.split(".")[0]));
  if (idle === undefined) return;
  throw new PupilError(`the arm does not come to the stage "${idle.split(".")[0]}".`, {
    field: `${field}.${idle}`,
    remedy: `Its stages are ${chain.map(({ name }) => name).join(", ")}; "last" says where it ends.`,
  });
}

function requireStage(key: string, names: readonly string[], field: string): void {
  const [stage = ""] = key.split(/[.=]/);
  if (names.includes(stage)) return;
  throw new PupilError(`there is no stage "${stage}".`, {
    field,
    value: key,
    remedy: `Begin with a stage's name. ${oneOf(stage, names)}`,
  });
}

/** A config that is given, or in a file beside the ablation's; its name, seed and place are the runner's. */
async function readPart(
  part: string | Config | undefined,
  path: string,
  what: string,
): Promise<Config> {
  const given =
    typeof part === "string" ? await readConfigFile(resolve(dirname(path), part), what) : part;
  const { name: _name, seed: _seed, output: _output, ...rest } = given as Config;
  return rest;
}

function wordsOf(changes: Config): string[] {
  return Object.entries(changes).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
}
