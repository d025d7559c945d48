import type { DerivedMeasure } from "../../../config/index.js";
import type { CellResult } from "../cell-results.js";
import type { AblationPlan } from "../planned.js";
import type { AblationResults, AblationVerdict, ArmMetric, PairedMetric } from "../results.js";
import type { CellCost } from "../stages/stage-cost.js";

/** A table of texts, the same for Markdown and HTML. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note?: string;
  /** Where the last cell of each row leads to, relative to the report. */
  readonly links?: readonly (string | undefined)[];
}

/** Four significant digits. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 10_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(4)));
}

/** Mean ± standard error of every measure and arm. */
export function meansTable({ arms, seeds }: AblationResults): Table {
  const names = Object.keys(arms);
  const metrics = [...new Set(names.flatMap((arm) => Object.keys(arms[arm] ?? {})))];
  const cell = (arm: string, metric: string) => {
    const found = arms[arm]?.[metric];
    return found === undefined ? "—" : meanCell(found);
  };
  return {
    title: "What the arms reached",
    head: ["measure", ...names],
    rows: metrics.map((metric) => [metric, ...names.map((arm) => cell(arm, metric))]),
    note: `Mean ± standard error over ${seeds.length} seeds.`,
  };
}

/** A mean of which a seed is infinite has no error to speak of; how many are is the thing to know. */
function meanCell({ mean, standardError, values }: ArmMetric): string {
  const reached = Object.values(values);
  const strange = reached.filter((value) => !Number.isFinite(value)).length;
  if (strange === 0) return `${digits(mean)} ± ${digits(standardError)}`;
  return `${digits(mean)} (${strange} of ${reached.length} seeds not finite)`;
}

/** What the claim rests on: each of its comparisons with what came out. */
export function claimTable({ comparisons }: Pick<AblationVerdict, "comparisons">): Table {
  return {
    title: "What the claim compares",
    head: ["comparison", "measure", "difference", "95 % interval", "result"],
    rows: comparisons.map((part) => {
      if ("derived" in part) {
        const { derived, value, low, high, result } = part;
        return [derived, "—", digits(value), intervalOf(low, high, "none"), result];
      }
      const [difference = "", interval = ""] = pairedCells(part);
      return [`${part.arm} − ${part.baseline}`, part.metric, difference, interval, part.result];
    }),
  };
}

/** Differences from the baseline with their intervals. */
export function pairedTable({ paired, baseline }: AblationResults): Table {
  const rows = Object.entries(paired).flatMap(([arm, metrics]) =>
    Object.entries(metrics).map(([metric, found]) => [arm, metric, ...pairedCells(found)]),
  );
  return {
    title: `Differences from ${baseline}, on the same seeds`,
    head: ["arm", "measure", "difference", "95 % interval", "P(more)", "could have seen"],
    rows,
    note:
      "Bootstrap over seeds and problems, stretched for few seeds; P(more): share of pairs of runs in " +
      "which the arm has more; could have seen: the smallest difference whose interval would not cross 0.",
  };
}

function pairedCells({
  difference,
  low,
  high,
  probabilityOfImprovement,
  smallestVisible,
  seeds,
}: PairedMetric): string[] {
  const none = seeds < 2 ? "one seed: none" : "not finite: none";
  return [
    digits(difference),
    intervalOf(low, high, none),
    digits(probabilityOfImprovement),
    smallestVisible === undefined ? "—" : digits(smallestVisible),
  ];
}

function intervalOf(low: number | undefined, high: number | undefined, none: string): string {
  return low === undefined ? none : `[${digits(low)}, ${digits(high as number)}]`;
}

/** Measures that are computed from several arms. */
export function derivedTable(
  derived: NonNullable<AblationResults["derived"]>,
  { derived: measures = {} }: Pick<AblationPlan, "derived">,
): Table {
  const rows = Object.entries(derived).map(([name, { value, low, high, seeds }]) => {
    return [
      name,
      digits(value),
      intervalOf(low, high, "none"),
      String(seeds),
      formulaOf(measures[name]),
    ];
  });
  return {
    title: "Measures of several arms",
    head: ["measure", "value", "95 % interval", "seeds", "what it is"],
    rows,
    note: "Of the means over seeds; the interval is that of the differences. None: too few seeds, or a resample without a value.",
  };
}

function formulaOf(measure: DerivedMeasure | undefined): string {
  switch (measure?.type) {
    case "gap-recovered":
      return `(${measure.arm} − ${measure.low}) / (${measure.high} − ${measure.low}) of ${measure.metric}`;
    case "contrast":
      return measure.terms
        .map(
          ({ weight, arm, metric }) =>
            `${weight < 0 ? "−" : "+"} ${Math.abs(weight)} ${arm} ${metric}`,
        )
        .join(" ");
    case "monotonicity":
      return `Kendall's τ along ${namesOf(measure.points)}`;
    case "rank-correlation":
      return `Kendall's τ of ${namesOf(measure.points)} with ${namesOf(measure.with)}`;
    default:
      return "";
  }
}

const namesOf = (points: readonly { readonly arm: string; readonly metric: string }[]) =>
  points.map(({ arm, metric }) => `${arm} ${metric}`).join(", ");

const costColumns: readonly (readonly [keyof CellCost, string])[] = [
  ["steps", "steps"],
  ["trainedTokens", "tokens trained on"],
  ["sampledTokens", "tokens the student wrote"],
  ["teacherTokens", "tokens of a teacher"],
  ["studentForwards", "student's forwards"],
  ["teacherForwards", "teacher's forwards"],
  ["seconds", "seconds"],
];

/** What each arm cost, a run on average. */
export function costTable({ cost }: AblationResults, hasStages = false): Table {
  const always = ["steps", "trainedTokens", "sampledTokens", "seconds"];
  const shown = costColumns.filter(
    ([key]) => always.includes(key) || Object.values(cost).some((found) => (found[key] ?? 0) > 0),
  );
  return {
    title: hasStages ? "What a result cost" : "What a run cost",
    head: ["arm", ...shown.map(([, title]) => title)],
    rows: Object.entries(cost).map(([arm, found]) => [
      arm,
      ...shown.map(([key]) => digits(found[key] ?? 0)),
    ]),
    ...(hasStages
      ? {
          note: "All stages of the arm together. One that several arms or seeds share was paid once and counts in each of them.",
        }
      : {}),
  };
}

/** What the arms change, and nothing else. */
export function changesTable({ arms }: AblationPlan): Table {
  return {
    title: "What the arms change",
    head: ["arm", "changes"],
    rows: arms.map(({ name, changes }) => [
      name,
      Object.entries(changes)
        .map(([path, value]) => `${path}=${JSON.stringify(value)}`)
        .join(" ") || "nothing: the run config as it is",
    ]),
  };
}

/**
 * Every run that ended.
 *
 * @param links to the reports of the cells
 */
export function runsTable(
  cells: readonly CellResult[],
  { arms }: AblationResults,
  links: readonly (string | undefined)[] = [],
): Table {
  const metrics = [...new Set(Object.values(arms).flatMap((found) => Object.keys(found)))];
  const rows = cells.map(({ arm, seed, metrics: reached, folder }) => [
    arm,
    String(seed),
    ...metrics.map((metric) => (reached[metric] === undefined ? "—" : digits(reached[metric]))),
    folder,
  ]);
  return { title: "Every run", head: ["arm", "seed", ...metrics, "folder"], rows, links };
}
