import * as Plot from "@observablehq/plot";
import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import { type Drawn, labelDrawing } from "../../pages/chart.js";
import type { CellResult } from "../cell-results.js";
import type { AblationResults } from "../results.js";
import { colours } from "./colours.js";

const font = "DejaVu Sans, Verdana, sans-serif";
const size = { width: 560, height: 320, marginLeft: 72, marginBottom: 46, inset: 8 };

/** A drawing and what it shows, for those who do not see it. */
export interface Drawing {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

/** A measure over the steps: every seed thin, the mean of each arm thick. */
export function learningCurve(
  metric: string,
  cells: readonly CellResult[],
  arms: readonly string[],
): Drawing | undefined {
  const rows = cells.flatMap(({ arm, seed, curve }) =>
    curve.flatMap(({ step, metrics }) => {
      const value = metrics[metric];
      return value === undefined ? [] : [{ arm, run: `${arm}/${seed}`, step, value }];
    }),
  );
  const drawn = rows.filter(({ value }) => Number.isFinite(value));
  if (new Set(rows.map(({ step }) => step)).size < 2 || drawn.length === 0) return undefined;
  const missing = rows.filter(({ value }) => !Number.isFinite(value));
  // A mean over those seeds alone that are finite would be no mean of the arm.
  const place = ({ arm, step }: { arm: string; step: number }) => `${step} ${arm}`;
  const places = new Set(missing.map(place));
  const means = Plot.groupX(
    { y: "mean" },
    { x: "step", y: "value", z: "arm", stroke: "arm", strokeWidth: 2.5 },
  );
  const title = `${metric} over the steps: every seed, and the mean of each arm`;
  const where = missing.map(({ run, step, value }) => `${run} is ${value} at step ${step}`);
  return draw(`curve-${metric}`, title, where, {
    x: { label: "optimizer steps" },
    y: { label: metric, grid: true, ...ticksOf(drawn.map(({ value }) => value)) },
    color: { domain: arms, range: colours },
    marks: [
      Plot.lineY(drawn, { x: "step", y: "value", z: "run", stroke: "arm", strokeOpacity: 0.35 }),
      Plot.lineY(
        drawn.filter((row) => !places.has(place(row))),
        means,
      ),
    ],
  });
}

/** Every seed of every arm, with the mean and its standard error. */
export function armValues(
  metric: string,
  { arms }: Pick<AblationResults, "arms">,
): Drawing | undefined {
  const known = Object.entries(arms).flatMap(([arm, metrics]) => {
    const found = metrics[metric];
    return found === undefined ? [] : [{ arm, ...found }];
  });
  if (known.length === 0) return undefined;
  const dots = known.flatMap(({ arm, values }) =>
    Object.entries(values).map(([seed, value]) => ({ arm, seed, value })),
  );
  const drawn = dots.filter(({ value }) => Number.isFinite(value));
  if (drawn.length === 0) return undefined;
  const bars = known
    .filter(({ mean }) => Number.isFinite(mean))
    .map(({ arm, mean, standardError }) => {
      return { arm, mean, low: mean - standardError, high: mean + standardError };
    });
  const longest = Math.max(...known.map(({ arm }) => arm.length));
  const title = `${metric} by arm: every seed, mean and standard error`;
  return draw(`arms-${metric}`, title, notDrawn(dots), {
    height: 76 + 34 * known.length,
    marginLeft: Math.min(260, 24 + 7 * longest),
    x: { label: metric, grid: true, ...ticksOf(drawn.map(({ value }) => value)) },
    y: { label: null, domain: known.map(({ arm }) => arm), type: "band" },
    color: { domain: Object.keys(arms), range: colours },
    marks: [
      Plot.dot(drawn, { x: "value", y: "arm", stroke: "arm", strokeOpacity: 0.6, r: 3 }),
      // A bar from a value to itself would be drawn across the whole plot.
      Plot.ruleY(
        bars.filter(({ low, high }) => low < high),
        { x1: "low", x2: "high", y: "arm", stroke: "arm", strokeWidth: 2.5 },
      ),
      Plot.dot(bars, { x: "mean", y: "arm", fill: "arm", r: 5 }),
    ],
  });
}

/** What an arm gained against what its run cost in tokens of the student and seconds. */
export function gainAgainstCost(
  metric: string,
  cells: readonly CellResult[],
  arms: readonly string[],
): Drawing | undefined {
  const rows = cells.flatMap(({ arm, seed, metrics, cost }) => {
    const value = metrics[metric];
    return value === undefined ? [] : [{ arm, seed, value, seconds: cost.seconds }];
  });
  const drawn = rows.filter(({ value }) => Number.isFinite(value));
  if (drawn.length === 0) return undefined;
  const title = `${metric} against seconds of training, every run`;
  return draw(`cost-${metric}`, title, notDrawn(rows), {
    x: {
      ...{ label: "seconds of training", grid: true },
      ...ticksOf(drawn.map(({ seconds }) => seconds)),
    },
    y: { label: metric, grid: true, ...ticksOf(drawn.map(({ value }) => value)) },
    color: { domain: arms, range: colours },
    marks: [Plot.dot(drawn, { x: "seconds", y: "value", fill: "arm", r: 5, fillOpacity: 0.8 })],
  });
}

interface RunValue {
  readonly arm: string;
  readonly seed: number | string;
  readonly value: number;
}

/** Runs whose value has no place on an axis. */
function notDrawn(values: readonly RunValue[]): string[] {
  return values
    .filter(({ value }) => !Number.isFinite(value))
    .map(({ arm, seed, value }) => `${arm}/${seed} is ${value}`);
}

/** An axis with one value alone would be given six decimals, which its margin cuts off. */
function ticksOf(values: readonly number[]): Plot.ScaleOptions {
  const [first = 0] = values;
  if (values.some((value) => value !== first)) return {};
  return { ticks: [first], tickFormat: () => String(Number(first.toPrecision(4))) };
}

/** How many of them are said one by one. */
const mostNamed = 3;

/** @param missing what has no place in the drawing; it is said with the title */
function draw(
  name: string,
  about: string,
  missing: readonly string[],
  options: Plot.PlotOptions,
): Drawing {
  const more = missing.length > mostNamed ? `, and ${missing.length - mostNamed} more` : "";
  const named = missing.slice(0, mostNamed).join(", ");
  const title = missing.length === 0 ? about : `${about}. Not drawn: ${named}${more}`;
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    ...size,
    ...options,
    document: document as never,
    style: { fontFamily: font, fontSize: "13px", background: "white", color: "black" },
  }) as unknown as Drawn;
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  labelDrawing(plot, title);
  return { name: name.replaceAll(/[^\w.-]+/g, "-"), title, svg: plot.outerHTML };
}

/** A drawing as PNG, twice its size, for places that show no SVG. */
export function pngOf({ svg }: Drawing): Uint8Array {
  const options = {
    background: "white",
    fitTo: { mode: "width" as const, value: 2 * size.width },
    font: { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans" },
  };
  return new Resvg(svg, options).render().asPng();
}
