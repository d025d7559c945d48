import { type ChartOptions, chartOf, type Mark } from "./chart.js";
import { type Html, html } from "./html.js";
import type { RunView } from "./run-view.js";
import { type Panel, panelsOf } from "./series.js";

function optionsOf({ log, steps }: RunView): ChartOptions {
  const marks = log.others.flatMap((row): Mark[] => {
    if (row.type === "warning") return [{ step: row.step, kind: "warning", text: row.message }];
    return row.type === "resume"
      ? [{ step: row.step, kind: "resume", text: `Resumed after step ${row.step}.` }]
      : [];
  });
  return { steps, marks };
}

/** The curves of one run: a chart for what is looked at together. */
export function curvesOf(run: RunView): Html | undefined {
  const panels = panelsOf(run);
  if (panels.length === 0) return html`<p class="note">There is nothing to draw yet.</p>`;
  return html`<div class="charts">${panels.map((panel) => chartOf(panel, optionsOf(run)))}</div>${logNotes(run)}`;
}

function logNotes({ log }: RunView): Html {
  const hasBands = log.steps.length > 160;
  const notes = [
    ...(hasBands
      ? [
          "Lines are means over neighbouring steps, bands go from the least to the greatest of them.",
        ]
      : []),
    ...(log.every > 1 ? [`The log is long: one of ${log.every} steps is drawn.`] : []),
    ...(log.unreadable > 0 ? [`${log.unreadable} lines of the log cannot be read.`] : []),
    ...(log.others.some(({ type }) => type === "warning") ? ["▼ marks a warning."] : []),
    ...(log.others.some(({ type }) => type === "resume") ? ["Dotted: the run was resumed."] : []),
  ];
  return html`<p class="note">${notes.join(" ")}</p>`;
}

/** Of several runs: a chart for each quantity, a curve for each run. */
export function overlaysOf(runs: readonly RunView[]): Html {
  const named = runs.map((run) => ({ run, panels: panelsOf(run) }));
  const keys = new Map<string, Panel & { label: string }>();
  for (const { panels } of named) {
    for (const panel of panels) {
      for (const { label } of panel.series)
        keys.set(`${panel.title} ${label}`, { ...panel, label });
    }
  }
  const steps = Math.max(...runs.map((run) => run.steps));
  const marks = runs.flatMap((run) =>
    optionsOf(run)
      .marks.filter(({ kind }) => kind === "warning")
      .map((mark) => ({ ...mark, text: `${run.name}: ${mark.text}` })),
  );
  const charts = [...keys.values()].map(({ title, unit, label }) => {
    const series = named.map(({ run, panels }) => {
      const found = panels
        .find((panel) => panel.title === title)
        ?.series.find((one) => one.label === label);
      return { ...(found ?? { points: [], isMeasured: true, strange: 0 }), label: run.name };
    });
    return chartOf(
      { title: title === label ? title : `${title}: ${label}`, unit, series },
      { steps, marks },
    );
  });
  return html`<div class="charts">${charts}</div>`;
}
