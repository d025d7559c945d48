import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Html, html, trusted } from "./html.js";
import { shortNumber } from "./numbers.js";
import type { Panel, Series } from "./series.js";

/** Something that happened at a step, drawn as a line across. */
export interface Mark {
  readonly step: number;
  readonly kind: "warning" | "resume";
  readonly text: string;
}

export interface ChartOptions {
  /** Steps that the run was asked for: the whole width. */
  readonly steps: number;
  readonly marks: readonly Mark[];
}

const size = {
  width: 420,
  height: 230,
  marginTop: 32,
  marginLeft: 48,
  marginRight: 12,
  marginBottom: 36,
};
/** Beside colours, for who cannot tell them apart. */
const dashes = ["none", "6 3", "2 3", "9 3 2 3", "none", "6 3", "2 3", "9 3 2 3"];
const colours = 8;
const colourOf = (i: number) => `var(--series-${i % colours})`;

/** A panel as a figure: legend with last values, drawing, and what the drawing cannot show. */
export function chartOf({ title, unit, series }: Panel, options: ChartOptions): Html {
  const strange = series.filter(({ strange: count }) => count > 0);
  return html`<figure class="chart"><figcaption><h3>${title}</h3><ul class="legend">${legendOf(series)}</ul></figcaption>${trusted(drawingOf(title, unit, series, options))}${
    strange.length === 0
      ? undefined
      : html`<p class="note">Not drawn, because not finite: ${strange
          .map(({ label, strange: count }) => `${count} × ${label}`)
          .join(", ")}.</p>`
  }</figure>`;
}

/** Each curve, or group of curves, with its last value or the mean of theirs. */
function legendOf(series: readonly Series[]): Html[] {
  const places = series.map(({ group }, i) => group ?? i);
  return [...new Set(places)].map((place) => {
    const members = series.filter((_, i) => places[i] === place);
    const lasts = members.flatMap(({ points }) => points.at(-1)?.value ?? []);
    const mean = lasts.reduce((sum, value) => sum + value, 0) / lasts.length;
    const line = html`<svg class="swatch" width="22" height="8" aria-hidden="true"><line x1="0" y1="4" x2="22" y2="4" style="stroke:${colourOf(place)}" stroke-width="2.5" stroke-dasharray="${dashes[place % dashes.length]}"/></svg>`;
    return html`<li>${line}<span class="name">${members[0]?.label}</span> <b>${lasts.length === 0 ? "—" : shortNumber(mean)}</b></li>`;
  });
}

function drawingOf(
  title: string,
  unit: string,
  series: readonly Series[],
  { steps, marks }: ChartOptions,
): string {
  const all = series.flatMap(({ points }) => points);
  const last = Math.max(steps, ...all.map(({ step }) => step), 1);
  const { document } = parseHTML("<html><body></body></html>");
  const plot = Plot.plot({
    ...size,
    document: document as never,
    style: {
      background: "transparent",
      color: "currentColor",
      fontSize: "12px",
      fontFamily: "inherit",
      overflow: "visible",
    },
    x: { label: "optimizer steps", domain: [0, last], ticks: 5, labelArrow: "none" },
    y: { label: unit, grid: true, nice: true, ticks: 5, labelArrow: "none", ...flatDomain(all) },
    marks: [
      ...series.flatMap(({ points, isMeasured, group }, i) =>
        marksOf(points, isMeasured, group ?? i),
      ),
      ...marks.map(({ step, kind, text }) =>
        Plot.ruleX([step], {
          stroke: kind === "warning" ? "var(--warning)" : "var(--quiet)",
          strokeDasharray: kind === "warning" ? "none" : "2 3",
          strokeWidth: 1.5,
          title: () => text,
        }),
      ),
      Plot.text(
        marks.filter(({ kind }) => kind === "warning"),
        {
          x: "step",
          text: () => "▼",
          frameAnchor: "top",
          dy: -7,
          fill: "var(--warning)",
          fontSize: 10,
        },
      ),
    ],
  }) as unknown as Drawn;
  labelDrawing(plot, `${title}. ${series.map(inWords).join(" ")}`);
  return plot.outerHTML;
}

/** What is needed of an element: the types of a browser are not those of this program. */
export interface Drawn {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  querySelectorAll(selector: string): Iterable<{ removeAttribute(name: string): void }>;
}

function marksOf(points: Series["points"], isMeasured: boolean, i: number): Plot.Markish[] {
  const stroke = colourOf(i);
  const hasBand = points.some(({ low, high }) => low < high);
  return [
    ...(hasBand
      ? [Plot.areaY(points, { x: "step", y1: "low", y2: "high", fill: stroke, fillOpacity: 0.16 })]
      : []),
    Plot.lineY(points, {
      ...{ x: "step", y: "value", stroke, strokeWidth: isMeasured ? 2 : 1.75 },
      strokeDasharray: dashes[i % dashes.length] as string,
    }),
    ...(isMeasured || points.length === 1
      ? [
          Plot.dot(points, {
            x: "step",
            y: "value",
            fill: stroke,
            r: points.length > 40 ? 1.5 : 2.75,
          }),
        ]
      : []),
  ];
}

/** What is the same all the time would have no height. */
function flatDomain(points: Series["points"]): { domain?: [number, number] } {
  const [first] = points;
  const isFlat =
    first !== undefined &&
    points.every(({ low, high }) => low === first.value && high === first.value);
  if (!isFlat) return {};
  // What is 0 is mostly a count or a share, which are not below it.
  if (first.value === 0) return { domain: [0, 1] };
  const half = Math.abs(first.value) / 2;
  return { domain: [first.value - half, first.value + half] };
}

/** A curve for who does not see it. */
function inWords({ label, points }: Series): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `${label}: nothing that is finite.`;
  const lowest = points.reduce((least, point) => (point.low < least.low ? point : least));
  const highest = points.reduce((most, point) => (point.high > most.high ? point : most));
  return (
    `${label}: from ${shortNumber(first.value)} at step ${first.step} to ${shortNumber(last.value)} at step ${last.step}; ` +
    `least ${shortNumber(lowest.low)} near step ${lowest.step}, greatest ${shortNumber(highest.high)} near step ${highest.step}.`
  );
}

/** One picture with one text: a drawing says nothing of its parts, which have no roles. */
export function labelDrawing(drawing: Drawn, label: string): void {
  for (const part of drawing.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", label);
}
