import type { StepRow, Values } from "../../trainers/index.js";
import type { RunView } from "./run-view.js";

/** Means over neighbouring steps, with the least and the greatest of them. */
export interface Point {
  readonly step: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A quantity over the steps of a run. */
export interface Series {
  readonly label: string;
  readonly points: readonly Point[];
  /** Of evaluations, which are few: they are drawn as dots too. */
  readonly isMeasured: boolean;
  /** Of several curves that are one thing: it decides the colour, and is in the legend once. */
  readonly group?: number;
  /** Values that are not finite have no place in a drawing. */
  readonly strange: number;
}

/** What a panel shows of the steps: the quantity, or how it is computed. */
interface StepQuantity {
  readonly label: string;
  readonly of: (values: Values) => number | undefined;
}

/** Quantities that are looked at together. */
export interface Panel {
  readonly title: string;
  /** What the vertical axis says. */
  readonly unit: string;
  readonly series: readonly Series[];
}

interface PanelKind {
  readonly title: string;
  readonly unit: string;
  /** Names in rows of steps. */
  readonly steps?: RegExp;
  readonly computed?: StepQuantity;
  /** Measures in rows of evaluations, without their set. */
  readonly measures?: RegExp;
}

const kinds: readonly PanelKind[] = [
  { title: "Loss", unit: "nats per token", steps: /^(loss|terms\..*)$/, measures: /^loss$/ },
  {
    ...{ title: "Divergence from the teacher", unit: "nats per token" },
    steps: /^diagnostics\.(coarseForward|coarseReverse|forward|reverse)Kl$/,
    measures: /^(forward|reverse|teacherList)Kl$/,
  },
  {
    ...{ title: "Entropy", unit: "nats per token" },
    steps: /^diagnostics\.(student|teacher)Entropy$/,
  },
  {
    ...{ title: "Same likeliest token", unit: "share of tokens" },
    steps: /^diagnostics\.topOneAgreement$/,
  },
  {
    ...{ title: "Accuracy", unit: "share of problems", steps: /^correctShare$/ },
    measures: /^(accuracy|pairAccuracy|passAt\d+|majAt\d+)$/,
  },
  { title: "Reward", unit: "reward", steps: /^(reward|rewards\..*)$/, measures: /^reward$/ },
  {
    ...{ title: "Length of completions", unit: "tokens", steps: /^rolloutLength$/ },
    measures: /^(meanLength|tokensPerAnswer)$/,
  },
  {
    ...{ title: "Completions that end", unit: "share of completions", steps: /^rolloutEndRate$/ },
    measures: /^endRate$/,
  },
  {
    ...{ title: "Ranking", unit: "nDCG, Kendall's τ" },
    measures: /^(windowNdcg|ndcg)\d+$|KendallTau$|^kendallTau$/,
  },
  { title: "Learning rate", unit: "per step", steps: /^learningRate$/ },
  { title: "Gradient norm", unit: "before clipping", steps: /^gradNorm$/ },
  {
    ...{ title: "Throughput", unit: "tokens per second" },
    computed: {
      label: "tokens per second",
      of: ({ tokens, elapsedMs }) =>
        tokens === undefined || elapsedMs === undefined || elapsedMs === 0
          ? undefined
          : (1000 * tokens) / elapsedMs,
    },
  },
];

/** Measures that are another form of what a panel shows. */
const left = /^perplexity$/;
/** Points of a curve, at most. */
const mostPoints = 160;

/** The panels of a run that have something to show; measures that none of them knows have one of their own. */
export function panelsOf({ log }: Pick<RunView, "log">): Panel[] {
  const evaluations = log.others.filter((row) => row.type === "evaluation");
  const stepNames = namesIn(log.steps.map(({ values }) => values));
  const measureNames = namesIn(evaluations.map(({ values }) => values));
  const known = (name: string) =>
    left.test(measureOf(name)) || kinds.some(({ measures }) => measures?.test(measureOf(name)));
  const unknown = [...new Set(measureNames.filter((name) => !known(name)).map(measureOf))];
  const others = unknown.map((measure) => ({
    ...{ title: measure, unit: measure },
    measures: new RegExp(`^${measure.replaceAll(/\W/g, "\\$&")}$`),
  }));
  return [...kinds, ...others].flatMap(({ title, unit, steps, computed, measures }: PanelKind) => {
    const ofSteps = stepNames
      .filter((name) => steps?.test(name))
      .map((name) => ({ label: shortName(name), of: (values: Values) => values[name] }));
    const series = [
      ...[...withoutCopies(ofSteps, log.steps), ...(computed ? [computed] : [])].map((quantity) =>
        seriesOf(quantity, log.steps, false),
      ),
      ...measureNames
        .filter((name) => measures?.test(measureOf(name)))
        .map((name) => seriesOf({ label: name, of: (values) => values[name] }, evaluations, true)),
    ].filter(({ points, strange }) => points.length > 0 || strange > 0);
    return series.length === 0 ? [] : [{ title, unit, series }];
  });
}

const measureOf = (name: string) => name.slice(name.lastIndexOf(".") + 1);
const shortName = (name: string) => name.replace(/^(diagnostics|terms|rewards)\./, "");
const namesIn = (rows: readonly Values[]) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

/** A loss of one unweighted term is drawn once, under the name of the term. */
function withoutCopies(quantities: readonly StepQuantity[], rows: readonly StepRow[]) {
  return quantities.filter(
    ({ of }, i) =>
      !quantities
        .slice(i + 1)
        .some((other) => rows.every(({ values }) => of(values) === other.of(values))),
  );
}

function seriesOf(
  { label, of }: StepQuantity,
  rows: readonly { readonly step: number; readonly values: Values }[],
  isMeasured: boolean,
): Series {
  const known = rows.flatMap(({ step, values }) => {
    const value = of(values);
    return value === undefined ? [] : [{ step, value }];
  });
  const finite = known.filter(({ value }) => Number.isFinite(value));
  const strange = known.length - finite.length;
  return { label, points: thinned(finite), isMeasured, strange };
}

/** Equal parts of the rows, each as one point. */
function thinned(rows: readonly { readonly step: number; readonly value: number }[]): Point[] {
  const count = Math.min(mostPoints, rows.length);
  return Array.from({ length: count }, (_, i) => {
    const part = rows.slice(
      Math.floor((i * rows.length) / count),
      Math.floor(((i + 1) * rows.length) / count),
    );
    const values = part.map(({ value }) => value);
    return {
      step: part.at(-1)?.step as number,
      value: values.reduce((sum, value) => sum + value, 0) / values.length,
      ...{ low: Math.min(...values), high: Math.max(...values) },
    };
  });
}
