import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  checkChain,
  type Choice,
  choiceSchema,
  configOf,
  kindOf,
  parseConfig,
  replaceReferences,
  type RunConfig,
  type Stage,
  stageReferences,
} from "../../../config/index.js";
import { parseRunConfig } from "../../modules/own-components.js";
import type { AblationDraft, Cell } from "../planned.js";
import type { CollectConfig, Collector } from "./collector.js";
import { namedFiles } from "./named-files.js";
import { type PlannedStage, productKindOf, productOf } from "./stage.js";

interface PlannedStages {
  readonly cells: readonly Cell[];
  readonly stages: readonly PlannedStage[];
  readonly configs: Readonly<Record<string, unknown>>;
}

/** A checked stage, the same for all seeds. */
interface ParsedStage {
  readonly stage: Stage;
  /** With `stage:<name>` where an earlier stage's product goes. */
  readonly config: RunConfig | CollectConfig;
  /** What its paths lead to. */
  readonly files: Readonly<Record<string, string>>;
}

export interface PlanStagesOptions {
  readonly collector: Collector;
  /** Where stages are stored. Default: `stages` in the ablation's folder. */
  readonly stages?: string | undefined;
}

/** The stages of all arms and seeds; equal ones are one. */
export async function planStages(
  draft: AblationDraft,
  folder: string,
  { collector, stages: shared }: PlanStagesOptions,
): Promise<PlannedStages> {
  const { arms, seeds, source, isPlain } = draft;
  const parsed = new Map<string, ParsedStage[]>();
  const known = new Map<string, Omit<ParsedStage, "stage">>();
  for (const { name, stages } of arms) {
    const field = `${source}: arms.${name}`;
    checkChain(stages, field);
    const ofArm: ParsedStage[] = [];
    for (const stage of stages) {
      const key = JSON.stringify([kindOf(stage), configOf(stage)]);
      const at = isPlain ? field : `${field}: ${stage.name}`;
      const checked = known.get(key) ?? (await parseStage(stage, at, collector));
      known.set(key, checked);
      ofArm.push({ stage, ...checked });
    }
    parsed.set(name, ofArm);
  }
  const all = new Map<string, PlannedStage>();
  // All arms of a seed are made before the next seed: what there is can be compared early.
  const bySeed = seeds.map((seed) =>
    arms.map(({ name }) => planCell(name, seed, parsed.get(name) ?? [], all)),
  );
  const cells = arms.flatMap((_, i) => bySeed.map((ofSeed) => withAll(ofSeed[i] as Cell)));
  return { cells, stages: [...all.values()], configs: storedConfigs() };

  function planCell(
    arm: string,
    seed: number,
    stages: readonly ParsedStage[],
    planned: Map<string, PlannedStage>,
  ): Cell {
    const made = new Map<string, PlannedStage>();
    for (const { stage, config, files } of stages) {
      const own = stage.once === true ? 1 : seed;
      const productsOf = (name: string) => productOf(made.get(name) as PlannedStage);
      const id = idOf(config, own, files, (name) => `stage:${made.get(name)?.id}`);
      const place = isPlain
        ? { output: join(folder, "cells"), name: `${fileName(arm)}-seed-${seed}` }
        : { output: shared ?? join(folder, "stages"), name: id };
      const path = join(place.output, place.name);
      const needed = stageReferences(config).map(({ stage: name }) => made.get(name)?.id as string);
      const common = {
        ...{ name: stage.name, seed: own, id, folder: path, needs: [...new Set(needed)] },
        mark: isPlain ? ("cell.json" as const) : ("stage.json" as const),
        arms: [...new Set([...(planned.get(id)?.arms ?? []), arm])],
      };
      const full = { ...replaceReferences(config, productsOf), seed: own };
      const next: PlannedStage =
        kindOf(stage) === "run"
          ? { ...common, kind: "run", config: { ...(full as RunConfig), ...place } }
          : kindOf(stage) === "choose"
            ? { ...common, kind: "choose", config: choiceOf(config as Choice, made) }
            : { ...common, kind: "collect", config: { ...full, name: stage.name } };
      // Two plain arms with one id are refused later; each keeps its folder in the message.
      const first = planned.get(id);
      const kept = first === undefined ? next : { ...first, arms: common.arms };
      planned.set(id, kept);
      made.set(stage.name, first === undefined || isPlain ? next : kept);
    }
    const chain = [...made.values()];
    const last = chain.at(-1) as PlannedStage;
    return { arm, seed, id: last.id, config: last.config as RunConfig, chain };
  }

  /** A stage's arms are known once all cells are. */
  function withAll(cell: Cell): Cell {
    if (isPlain) return cell;
    return { ...cell, chain: cell.chain.map((stage) => all.get(stage.id) ?? stage) };
  }

  function storedConfigs(): Record<string, unknown> {
    const output = join(folder, "cells");
    const ofArm = (stages: readonly ParsedStage[]): unknown => {
      const configs = stages.map(({ config }) => {
        const { seed: _seed, name: _name, ...rest } = config;
        return isPlain ? { ...rest, output } : rest;
      });
      if (isPlain) return configs[0];
      return Object.fromEntries(stages.map(({ stage }, i) => [stage.name, configs[i]]));
    };
    return Object.fromEntries([...parsed].map(([arm, stages]) => [arm, ofArm(stages)]));
  }
}

async function parseStage(
  stage: Stage,
  source: string,
  collector: Collector,
): Promise<Omit<ParsedStage, "stage">> {
  if (kindOf(stage) === "choose") {
    return { config: parseConfig(choiceSchema, stage.choose, source), files: {} };
  }
  const config =
    kindOf(stage) === "collect"
      ? await collector.parse({ name: stage.name, seed: 1, ...stage.collect }, source)
      : await parseRunConfig({ ...stage.run, name: stage.name, output: "ablations" }, source);
  return { config, files: await namedFiles(withoutPlace(config)) };
}

/** A config without what says how it is called and where it is written. */
function withoutPlace({ name: _name, output: _output, ...rest }: RunConfig | CollectConfig) {
  return rest;
}

/** The choice with the paths of products. */
function choiceOf(choice: Choice, made: ReadonlyMap<string, PlannedStage>) {
  const [first] = stageReferences(Object.values(choice.candidates).map(({ take }) => take));
  const makes = productKindOf(made.get(first?.stage ?? "") as PlannedStage);
  const productAt = (name: string) => productOf(made.get(name) as PlannedStage);
  return { ...replaceReferences(choice, productAt), makes };
}

/** Hash of what decides a stage. */
function idOf(
  config: RunConfig | CollectConfig,
  seed: number,
  files: Readonly<Record<string, string>>,
  idOfStage: (name: string) => string,
): string {
  const named = Object.keys(files).length === 0 ? {} : { files };
  const rest = replaceReferences(withoutPlace(config), idOfStage);
  const text = JSON.stringify({ ...rest, seed, ...named });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** An arm's name as part of a folder's. */
export function fileName(arm: string): string {
  return arm.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "arm";
}
