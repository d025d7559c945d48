import { basename, join, resolve } from "node:path";
import type { DerivedMeasures } from "../../config/index.js";
import { oneOf, PupilError } from "../../errors/index.js";
import { comparisonRule } from "../../statistics/index.js";
import type { AblationDraft, AblationPlan, Cell, Claim } from "./planned.js";
import { type Collector, collector as builtInCollector } from "./stages/collector.js";
import { planStages } from "./stages/plan-stages.js";

export interface PlanOptions {
  /** Default: `ablations/<name>`. */
  readonly folder?: string | undefined;
  /** How many seeds, from 1; or which. */
  readonly seeds?: number | number[] | undefined;
  /**
   * Folder of stages that several ablations use, one after another or at the same time. Default: one in the
   * ablation's own folder.
   */
  readonly stages?: string | undefined;
  /** What makes stages that collect. */
  readonly collector?: Collector | undefined;
}

/**
 * The plan of an ablation: the config of every stage of every arm is resolved and checked now, so that a
 * mistake in the last arm is found before the first one runs, and later changes of files change nothing.
 *
 * @throws PupilError naming the arm for what is wrong with its stages, for an arm that is equal to another
 *   one, for a claim about arms that there are not, and for a shared folder where there are no stages
 */
export async function makePlan(draft: AblationDraft, options: PlanOptions): Promise<AblationPlan> {
  const { name, source, arms, baseline, seeds, metrics, derived, claim, about } = draft;
  const { metricsMayLack, stop } = draft;
  const folder = options.folder ?? join("ablations", name);
  const { cells, stages, configs } = await planStages(draft, folder, {
    collector: options.collector ?? builtInCollector,
    stages: sharedFolder(draft, options.stages),
  });
  requireDifferent(cells, source);
  checkNames(draft);
  checkStop(draft, cells);
  const rule = claim && ruleOf(claim.comparisons);
  return {
    ...{ name, folder, arms, baseline, seeds, cells, stages, configs },
    ...{ metrics, metricsMayLack, derived, claim, rule, about, stop },
  };
}

/** As an absolute path: what one ablation has begun, another one may continue from elsewhere. */
function sharedFolder({ isPlain, source }: AblationDraft, stages?: string): string | undefined {
  if (stages === undefined || !isPlain) return stages && resolve(stages);
  throw new PupilError("its arms are runs that no other ablation has.", {
    field: `${source}: stages`,
    value: stages,
    remedy: 'Leave it out, or give "stages" in the file in place of "run".',
  });
}

/** "Supported if …; contradicted if …": what will be concluded from what. */
export function ruleOf(comparisons: Claim["comparisons"]): string {
  const all = comparisons.map(comparisonRule).join(", and ");
  const other = comparisons.length > 1 ? "one of these intervals" : "that interval";
  return (
    `Supported if ${all}; contradicted if ${other} lies wholly on the other side of its border; ` +
    "else it cannot be told."
  );
}

/** Whoever a claim or a derived measure names must be there. */
function checkNames({ source, arms, derived = {}, claim }: AblationDraft): void {
  const names = arms.map((arm) => arm.name);
  const requireName = (what: string, name: string, known: readonly string[], field: string) => {
    if (known.includes(name)) return;
    throw new PupilError(`there is no ${what} "${name}".`, {
      field: `${source}: ${field}`,
      value: name,
      remedy: known.length === 0 ? "There is none." : oneOf(name, known),
    });
  };
  for (const [key, measure] of Object.entries(derived)) {
    for (const arm of armsOf(measure)) requireName("arm", arm, names, `derived.${key}`);
  }
  const overArms = Object.keys(derived).filter((key) => derived[key]?.type !== "area-under-curve");
  for (const [i, comparison] of (claim?.comparisons ?? []).entries()) {
    const field = `claim.comparisons.${i}`;
    if ("derived" in comparison) {
      requireName("derived measure", comparison.derived, overArms, `${field}.derived`);
      continue;
    }
    for (const key of ["arm", "baseline"] as const) {
      requireName("arm", comparison[key], names, `${field}.${key}`);
    }
  }
}

/** Runs that are compared at a step have to be evaluated by then. */
function checkStop({ stop, source }: AblationDraft, cells: readonly Cell[]): void {
  if (stop === undefined) return;
  for (const { arm, config } of cells) {
    const { every } = config.evaluation;
    if (every > 0 && every <= stop.minSteps) continue;
    throw new PupilError(
      every === 0
        ? `the arm "${arm}" is evaluated at its end only: there is nothing to stop it by.`
        : `the arm "${arm}" is evaluated every ${every} steps, later than it is compared.`,
      {
        field: `${source}: stop.minSteps`,
        value: stop.minSteps,
        remedy: `Set evaluation.every to ${stop.minSteps} or less.`,
      },
    );
  }
}

/** The arms that a derived measure names. */
function armsOf(measure: DerivedMeasures[string]): string[] {
  switch (measure.type) {
    case "gap-recovered":
      return [measure.arm, measure.low, measure.high];
    case "contrast":
      return measure.terms.map(({ arm }) => arm);
    case "monotonicity":
      return measure.points.map(({ arm }) => arm);
    case "rank-correlation":
      return [...measure.points, ...measure.with].map(({ arm }) => arm);
    case "area-under-curve":
      return [];
  }
}

function requireDifferent(cells: readonly Cell[], source: string): void {
  const known = new Map<string, Cell>();
  for (const cell of cells) {
    const other = known.get(cell.id);
    if (other !== undefined && other.arm !== cell.arm) {
      throw new PupilError(`its runs are those of the arm "${other.arm}": it changes nothing.`, {
        field: `${source}: arms.${cell.arm}`,
        remedy: "Leave one of the two out, or check the field that it is meant to change.",
      });
    }
    if (other !== undefined) throw oneResult(cell, other, source);
    known.set(cell.id, cell);
  }
  const folders = cells.map(({ chain }) => basename(chain.at(-1)?.folder ?? ""));
  const twice = folders.find((folder, i) => folders.indexOf(folder) !== i);
  if (twice === undefined) return;
  throw new PupilError(`Two arms or seeds would share the folder ${twice}.`, {
    field: source,
    remedy: "Give arms names that differ in letters and digits, and every seed once.",
  });
}

function oneResult({ arm, seed }: Cell, other: Cell, source: string): PupilError {
  return new PupilError(
    seed === other.seed
      ? `the seed ${seed} is given twice.`
      : `its last stage is made once: the seeds ${other.seed} and ${seed} would be one result.`,
    {
      field: `${source}: arms.${arm}`,
      remedy: 'Give every seed once, and leave "once" out there.',
    },
  );
}
