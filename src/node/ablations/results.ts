import { PupilError } from "../../errors/index.js";
import {
  combineVerdicts,
  type DerivedComparison,
  type DerivedEstimate,
  judge,
  judgeDerived,
  mean,
  type PairedDifference,
  pairedDifference,
  type SeedValues,
  standardError,
  type VerdictResult,
} from "../../statistics/index.js";
import { Random } from "../../tensors/index.js";
import type { StoppedAt } from "../executors/journal.js";
import type { CellResult } from "./cell-results.js";
import { valuesOf } from "./cell-values.js";
import { derivedResult, statisticOf } from "./derived-results.js";
import { type CellCost, combineCosts } from "./stages/stage-cost.js";
import type { AblationPlan } from "./planned.js";

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
  readonly comparisons: readonly JudgedComparison[];
}

/** A part of a claim with what was found. */
export type JudgedComparison =
  | (PairedMetric & {
      readonly arm: string;
      readonly metric: string;
      readonly result: VerdictResult;
    })
  | (DerivedEstimate & { readonly derived: string; readonly result: VerdictResult });

/** `results.json`. */
export interface AblationResults {
  readonly name: string;
  readonly finished: boolean;
  /** Results that are there: those of arms and seeds that have ended. */
  readonly done: number;
  readonly baseline: string;
  readonly seeds: readonly number[];
  readonly arms: Readonly<Record<string, Readonly<Record<string, ArmMetric>>>>;
  readonly paired: Readonly<Record<string, Readonly<Record<string, PairedMetric>>>>;
  /** Measures that are computed from several arms. */
  readonly derived?: Readonly<Record<string, DerivedEstimate>>;
  /** Means over seeds. */
  readonly cost: Readonly<Record<string, CellCost>>;
  readonly verdict?: AblationVerdict;
  readonly failed: readonly FailedCell[];
  /** Runs that the rule ended early; they are in no mean. */
  readonly stopped?: readonly StoppedCell[];
}

export interface StoppedCell extends StoppedAt {
  readonly arm: string;
  readonly seed: number;
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
  stopped: readonly StoppedCell[] = [],
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
  const derived = Object.fromEntries(
    Object.entries(plan.derived ?? {}).flatMap(([name, measure]) => {
      const found = derivedResult(name, measure, cells);
      return found === undefined ? [] : [[name, found]];
    }),
  );
  const verdict = verdictOf(plan, against, derived);
  return {
    name: plan.name,
    finished: cells.length + stopped.length === plan.cells.length,
    done: cells.length,
    baseline: plan.baseline,
    seeds: plan.seeds,
    arms: Object.fromEntries(arms) as AblationResults["arms"],
    paired: Object.fromEntries(paired) as AblationResults["paired"],
    ...(plan.derived === undefined ? {} : { derived }),
    cost: Object.fromEntries(names.flatMap((arm) => meanCost(arm, ofArm(arm)))),
    ...(verdict === undefined ? {} : { verdict }),
    failed,
    ...(plan.stop === undefined ? {} : { stopped }),
  };
}

/** Measures of the finished runs, in their order; arms may have different ones. */
function metricNames(cells: readonly CellResult[]): string[] {
  return [...new Set(cells.flatMap(({ metrics }) => Object.keys(metrics)))];
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
  const side = (index: 0 | 1): SeedValues => pairs.map((pair) => valuesOf(pair[index], metric));
  // The same numbers for the same table, whoever computes it.
  const random = new Random(0).stream("ablation", metric);
  return { ...pairedDifference(side(0), side(1), { random }), baseline };
}

function verdictOf(
  { claim, rule }: AblationPlan,
  against: (arm: string, baseline: string, metric: string) => PairedMetric | undefined,
  derived: Readonly<Record<string, DerivedEstimate>>,
): AblationVerdict | undefined {
  if (claim === undefined || rule === undefined) return undefined;
  const judged = (part: (typeof claim.comparisons)[number]): JudgedComparison[] => {
    if ("derived" in part) return judgeEstimate(part, derived[part.derived]);
    const { arm, baseline, metric } = part;
    const found = against(arm, baseline, metric);
    return found === undefined ? [] : [{ ...found, arm, metric, result: judge(part, found) }];
  };
  const comparisons = claim.comparisons.flatMap(judged);
  const complete = comparisons.length === claim.comparisons.length;
  const visible = comparisons.flatMap((found) =>
    "derived" in found ? [] : (found.smallestVisible ?? []),
  );
  return {
    claim: claim.text,
    result: complete ? combineVerdicts(comparisons.map(({ result }) => result)) : "cannot tell",
    rule,
    ...(visible.length === 0 ? {} : { smallestVisible: Math.max(...visible) }),
    comparisons,
  };
}

function judgeEstimate(
  comparison: DerivedComparison,
  found: DerivedEstimate | undefined,
): JudgedComparison[] {
  if (found === undefined) return [];
  return [{ ...found, derived: comparison.derived, result: judgeDerived(comparison, found) }];
}

function meanCost(arm: string, cells: readonly CellResult[]): [string, CellCost][] {
  if (cells.length === 0) return [];
  return [
    [
      arm,
      combineCosts(
        cells.map(({ cost }) => cost),
        mean,
      ),
    ],
  ];
}

/**
 * Measures that a claim, a derived measure or a report names must be there: those of an arm once a run of
 * it has finished, those of no arm in particular once every arm has one.
 *
 * @throws PupilError naming those that runs have
 */
export function requireMetrics(plan: AblationPlan, cells: readonly CellResult[]): void {
  for (const { metric, arm } of askedMetrics(plan)) {
    const asked = cells.filter((cell) => arm === undefined || cell.arm === arm);
    const whole = plan.arms.every(({ name }) => asked.some((cell) => cell.arm === name));
    if (asked.length === 0 || (arm === undefined && !whole)) continue;
    if (asked.some(({ metrics }) => metric in metrics)) continue;
    const whose = arm === undefined ? "no run" : `no run of the arm "${arm}"`;
    throw new PupilError(`${whose} has a measure "${metric}".`, {
      field: "metrics",
      value: metric,
      remedy: `There are: ${metricNames(asked).join(", ")}.`,
    });
  }
}

interface AskedMetric {
  readonly metric: string;
  readonly arm?: string;
}

function askedMetrics(plan: AblationPlan): AskedMetric[] {
  const { claim, derived = {}, metricsMayLack = false } = plan;
  const metrics = metricsMayLack ? [] : (plan.metrics ?? []);
  const claimed = (claim?.comparisons ?? []).flatMap((part): AskedMetric[] =>
    "derived" in part ? [] : [part.arm, part.baseline].map((arm) => ({ arm, metric: part.metric })),
  );
  const ofDerived = Object.values(derived).flatMap((measure): readonly AskedMetric[] =>
    measure.type === "area-under-curve"
      ? [{ metric: measure.metric }]
      : statisticOf(measure).columns,
  );
  return [...claimed, ...ofDerived, ...metrics.map((metric) => ({ metric }))];
}
