import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import {
  type AblationFile,
  ablationSchema,
  applyOverrides,
  type Arm,
  baselineOf,
  expandArms,
  parseConfig,
  type RunConfig,
  seedList,
} from "../../config/index.js";
import { oneOf, PupilError } from "../../errors/index.js";
import { type Comparison, comparisonRule } from "../../statistics/index.js";
import { readJson } from "../files/read-files.js";
import { parseRunConfig } from "../runs/own-components.js";

/** One run of an ablation: an arm with a seed. */
export interface Cell {
  readonly arm: string;
  readonly seed: number;
  /** Hash of everything that decides the run, its seed included; not of where it is written. */
  readonly id: string;
  readonly config: RunConfig;
}

/** An ablation before it runs: nothing in it depends on results. */
export interface AblationPlan {
  readonly name: string;
  readonly folder: string;
  readonly arms: readonly Arm[];
  readonly baseline: string;
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
  readonly metrics: readonly string[] | undefined;
  readonly claim:
    | { readonly text: string; readonly comparisons: readonly Comparison[] }
    | undefined;
  /** How the verdict will be reached, in words. */
  readonly rule: string | undefined;
}

export interface PlanOptions {
  /** Default: `ablations/<name>`. */
  readonly folder?: string | undefined;
  /** In place of those of the file. */
  readonly seeds?: AblationFile["seeds"] | undefined;
}

/**
 * The plan of an ablation file: every arm's run config is resolved and checked now, so that a mistake
 * in the last arm is found before the first one runs, and later changes of files change nothing.
 *
 * @throws PupilError naming the arm for what is wrong with its config, for an arm that is equal to
 *   another one, and for a claim about arms that there are not
 */
export async function planAblation(
  path: string,
  overrides: readonly string[],
  { folder, seeds }: PlanOptions = {},
): Promise<AblationPlan> {
  const file = parseConfig(ablationSchema, await readJson(path, "ablation"), path);
  const base =
    typeof file.run === "string"
      ? await readJson(resolve(dirname(path), file.run), "run config")
      : file.run;
  const changed = applyOverrides(base, overrides);
  const arms = expandArms(file, path);
  const baseline = baselineOf(arms, file.baseline, path);
  const chosen = seedList(seeds ?? file.seeds);
  const place = folder ?? join("ablations", file.name);
  const cells: Cell[] = [];
  for (const arm of arms) {
    const config = await configOf(arm, changed, path);
    for (const seed of chosen) {
      const name = `${fileName(arm.name)}-seed-${seed}`;
      const own = { ...config, seed, name, output: join(place, "cells") };
      cells.push({ arm: arm.name, seed, id: idOf(config, seed), config: own });
    }
  }
  requireDifferent(cells, path);
  const claim = file.claim && {
    text: file.claim.text,
    comparisons: file.claim.comparisons.map((part, i) => {
      const names = arms.map(({ name }) => name);
      const comparison = { ...part, baseline: part.baseline ?? baseline };
      for (const key of ["arm", "baseline"] as const) {
        if (names.includes(comparison[key])) continue;
        throw new PupilError(`there is no arm "${comparison[key]}".`, {
          field: `${path}: claim.comparisons.${i}.${key}`,
          value: comparison[key],
          remedy: oneOf(comparison[key], names),
        });
      }
      return comparison;
    }),
  };
  const rule = claim && ruleOf(claim.comparisons);
  return {
    ...{ name: file.name, folder: place, arms, baseline, seeds: chosen, cells },
    ...{ metrics: file.metrics, claim, rule },
  };
}

/** "Supported if …; contradicted if …": what will be concluded from what. */
export function ruleOf(comparisons: readonly Comparison[]): string {
  const all = comparisons.map(comparisonRule).join(", and ");
  const other = comparisons.length > 1 ? "one of these intervals" : "that interval";
  return (
    `Supported if ${all}; contradicted if ${other} lies wholly on the other side of its border; ` +
    "else it cannot be told."
  );
}

async function configOf(arm: Arm, base: unknown, source: string): Promise<RunConfig> {
  const words = Object.entries(arm.changes).map(
    ([path, value]) => `${path}=${JSON.stringify(value)}`,
  );
  const place = { name: fileName(arm.name), output: "ablations" };
  const given = { ...(applyOverrides(base, words) as object), ...place };
  return parseRunConfig(given, `${source}: arms.${arm.name}`);
}

function idOf({ name: _name, output: _output, ...config }: RunConfig, seed: number): string {
  const text = JSON.stringify({ ...config, seed });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function requireDifferent(cells: readonly Cell[], source: string): void {
  const known = new Map<string, Cell>();
  for (const cell of cells) {
    const other = known.get(cell.id);
    if (other !== undefined) {
      throw new PupilError(`its runs are those of the arm "${other.arm}": it changes nothing.`, {
        field: `${source}: arms.${cell.arm}`,
        remedy: "Leave one of the two out, or check the field that it is meant to change.",
      });
    }
    known.set(cell.id, cell);
  }
  const files = cells.map(({ config }) => config.name);
  const twice = files.find((name, i) => files.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new PupilError(`Two arms or seeds would share the folder ${twice}.`, {
    field: source,
    remedy: "Give arms names that differ in letters and digits, and every seed once.",
  });
}

/** An arm's name as part of a folder's. */
export function fileName(arm: string): string {
  return arm.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "arm";
}
