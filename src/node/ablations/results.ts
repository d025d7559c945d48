import { PupilError } from "../../errors/index.js";
import {
  combineVerdicts,
  judge,
  mean,
  type PairedDifference,
  pairedDifference,
  type SeedValues,
  standardError,
  type VerdictResult,
} from "../../statistics/index.js";
import { Random } from "../../tensors/index.js";
import type { CellCost, CellResult } from "./cell-results.js";
import type { AblationPlan } from "./plan.js";

/** A measure of an arm over its seeds. */
export interface ArmMetric {
  readonly mean: number;
  readonly standardError: number;
  /** By seed. */
  readonly values: Readonly<Record<string, number>>;
}

/** An arm against the baseline, or against the one that the claim names. */
export interface PairedMetric extends PairedDifference {
  readonly baseline: string;
}

export interface AblationVerdict {
  readonly claim: string;
  readonly result: VerdictResult;
  /** Written down before the run. */
  readonly rule: string;
  /** The largest of the smallest differences that the comparisons could have seen. */
  readonly smallestVisible?: number;
  readonly comparisons: readonly (PairedMetric & {
    readonly arm: string;
    readonly metric: string;
    readonly result: VerdictResult;
  })[];
}

/** `results.json`. */
export interface AblationResults {
  readonly name: string;
  readonly finished: boolean;
  readonly baseline: string;
  readonly seeds: readonly number[];
  readonly arms: Readonly<Record<string, Readonly<Record<string, ArmMetric>>>>;
  readonly paired: Readonly<Record<string, Readonly<Record<string, PairedMetric>>>>;
  /** Means over seeds. */
  readonly cost: Readonly<Record<string, CellCost>>;
  readonly verdict?: AblationVerdict;
  readonly failed: readonly FailedCell[];
}

export interface FailedCell {
  readonly arm: string;
  readonly seed: number;
  readonly message: string;
}

/** The table of an ablation. Arms are compared on the seeds that both have finished. */
export function ablationResults(
  plan: AblationPlan,
  cells: readonly CellResult[],
  failed: readonly FailedCell[],
): AblationResults {
  const metrics = plan.metrics ?? metricNames(cells);
  const names = plan.arms.map(({ name }) => name);
  const ofArm = (arm: string) => cells.filter((cell) => cell.arm === arm);
  const arms = names.map((arm) => [
    arm,
    Object.fromEntries(metrics.flatMap((metric) => armMetric(ofArm(arm), metric))),
  ]);
  const against = (arm: string, baseline: string, metric: string) =>
    comparePair(ofArm(arm), ofArm(baseline), baseline, metric);
  const paired = names
    .filter((arm) => arm !== plan.baseline)
    .map((arm) => [
      arm,
      Object.fromEntries(
        metrics.flatMap((metric) => {
          const found = against(arm, plan.baseline, metric);
          return found === undefined ? [] : [[metric, found]];
        }),
      ),
    ]);
  const verdict = verdictOf(plan, against);
  return {
    name: plan.name,
    finished: cells.length === plan.cells.length,
    baseline: plan.baseline,
    seeds: plan.seeds,
    arms: Object.fromEntries(arms) as AblationResults["arms"],
    paired: Object.fromEntries(paired) as AblationResults["paired"],
    cost: Object.fromEntries(names.flatMap((arm) => meanCost(arm, ofArm(arm)))),
    ...(verdict === undefined ? {} : { verdict }),
    failed,
  };
}

/** Measures that every finished run has, in their order. */
function metricNames(cells: readonly CellResult[]): string[] {
  const [first, ...others] = cells;
  const names = Object.keys(first?.metrics ?? {});
  return names.filter((name) => others.every(({ metrics }) => name in metrics));
}

function armMetric(cells: readonly CellResult[], metric: string): [string, ArmMetric][] {
  const known = cells.filter(({ metrics }) => metric in metrics);
  if (known.length === 0) return [];
  const values = known.map(({ metrics }) => metrics[metric] as number);
  const bySeed = Object.fromEntries(known.map(({ seed }, i) => [seed, values[i] as number]));
  return [[metric, { mean: mean(values), standardError: standardError(values), values: bySeed }]];
}

function comparePair(
  arm: readonly CellResult[],
  other: readonly CellResult[],
  baseline: string,
  metric: string,
): PairedMetric | undefined {
  const pairs = arm.flatMap((cell) => {
    const twin = other.find(({ seed, metrics }) => seed === cell.seed && metric in metrics);
    return twin !== undefined && metric in cell.metrics ? [[cell, twin] as const] : [];
  });
  if (pairs.length === 0) return undefined;
  const valuesOf = (cell: CellResult) => cell.problems[metric] ?? [cell.metrics[metric] as number];
  const side = (index: 0 | 1): SeedValues => pairs.map((pair) => valuesOf(pair[index]));
  // The same numbers for the same table, whoever computes it.
  const random = new Random(0).stream("ablation", metric);
  return { ...pairedDifference(side(0), side(1), { random }), baseline };
}

function verdictOf(
  { claim, rule }: AblationPlan,
  against: (arm: string, baseline: string, metric: string) => PairedMetric | undefined,
): AblationVerdict | undefined {
  if (claim === undefined || rule === undefined) return undefined;
  const comparisons = claim.comparisons.flatMap((comparison) => {
    const { arm, baseline, metric } = comparison;
    const found = against(arm, baseline, metric);
    if (found === undefined) return [];
    return [{ ...found, arm, metric, result: judge(comparison, found) }];
  });
  const complete = comparisons.length === claim.comparisons.length;
  const visible = comparisons.flatMap(({ smallestVisible }) => smallestVisible ?? []);
  return {
    claim: claim.text,
    result: complete ? combineVerdicts(comparisons.map(({ result }) => result)) : "cannot tell",
    rule,
    ...(visible.length === 0 ? {} : { smallestVisible: Math.max(...visible) }),
    comparisons,
  };
}

function meanCost(arm: string, cells: readonly CellResult[]): [string, CellCost][] {
  if (cells.length === 0) return [];
  const of = (key: keyof CellCost) => mean(cells.map(({ cost }) => cost[key]));
  return [
    [
      arm,
      {
        steps: of("steps"),
        trainedTokens: of("trainedTokens"),
        sampledTokens: of("sampledTokens"),
        seconds: of("seconds"),
      },
    ],
  ];
}

/**
 * Measures that a claim or a report names must be there.
 *
 * @throws PupilError naming those that runs have
 */
export function requireMetrics(plan: AblationPlan, cells: readonly CellResult[]): void {
  const known = metricNames(cells);
  const asked = [
    ...(plan.metrics ?? []),
    ...(plan.claim?.comparisons.map(({ metric }) => metric) ?? []),
  ];
  const missing = asked.find((metric) => !known.includes(metric));
  if (cells.length === 0 || missing === undefined) return;
  throw new PupilError(`no run has a measure "${missing}".`, {
    field: "metrics",
    value: missing,
    remedy: `Those of this ablation: ${known.join(", ")}.`,
  });
}
