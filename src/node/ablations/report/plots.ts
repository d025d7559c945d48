import * as Plot from "@observablehq/plot";
import { Resvg } from "@resvg/resvg-js";
import { parseHTML } from "linkedom";
import type { CellResult } from "../cell-results.js";
import type { AblationResults } from "../results.js";

/** Okabe and Ito's colours, which most people can tell apart. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
const font = "DejaVu Sans, Verdana, sans-serif";
const size = { width: 680, height: 360, marginLeft: 64, marginBottom: 44, inset: 8 };

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
  if (new Set(rows.map(({ step }) => step)).size < 2) return undefined;
  const means = Plot.groupX(
    { y: "mean" },
    { x: "step", y: "value", stroke: "arm", strokeWidth: 2.5 },
  );
  return draw(`curve-${metric}`, `${metric} over the steps: every seed, and the mean of each arm`, {
    x: { label: "optimizer steps" },
    y: { label: metric, grid: true },
    color: { domain: arms, range: colours },
    marks: [
      Plot.lineY(rows, { x: "step", y: "value", z: "run", stroke: "arm", strokeOpacity: 0.35 }),
      Plot.lineY(rows, means),
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
    Object.values(values).map((value) => ({ arm, value })),
  );
  const bars = known.map(({ arm, mean, standardError }) => {
    return { arm, mean, low: mean - standardError, high: mean + standardError };
  });
  const longest = Math.max(...known.map(({ arm }) => arm.length));
  return draw(`arms-${metric}`, `${metric} by arm: every seed, mean and standard error`, {
    height: 76 + 34 * known.length,
    marginLeft: Math.min(260, 24 + 7 * longest),
    x: { label: metric, grid: true },
    y: { label: null, domain: known.map(({ arm }) => arm), type: "band" },
    color: { domain: Object.keys(arms), range: colours },
    marks: [
      Plot.dot(dots, { x: "value", y: "arm", stroke: "arm", strokeOpacity: 0.6, r: 3 }),
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
  const rows = cells.flatMap(({ arm, metrics, cost }) => {
    const value = metrics[metric];
    return value === undefined ? [] : [{ arm, value, seconds: cost.seconds }];
  });
  if (rows.length === 0) return undefined;
  return draw(`cost-${metric}`, `${metric} against seconds of training, every run`, {
    x: { label: "seconds of training", grid: true },
    y: { label: metric, grid: true },
    color: { domain: arms, range: colours },
    marks: [Plot.dot(rows, { x: "seconds", y: "value", fill: "arm", r: 5, fillOpacity: 0.8 })],
  });
}

function draw(name: string, title: string, options: Plot.PlotOptions): Drawing {
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    ...size,
    ...options,
    document: document as never,
    style: { fontFamily: font, fontSize: "12px", background: "white", color: "black" },
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", title);
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

/** The colour of each arm, for a legend. */
export function armColours(arms: readonly string[]): Readonly<Record<string, string>> {
  const colourOf = (i: number) => colours[i % colours.length] as string;
  return Object.fromEntries(arms.map((arm, i) => [arm, colourOf(i)]));
}
