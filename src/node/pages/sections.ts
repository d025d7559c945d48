import { curvesOf, overlaysOf } from "./curves.js";
import { heatMapOf } from "./heat-map.js";
import type { Html } from "./html.js";
import type { RunView } from "./run-view.js";
import { samplesOf } from "./samples.js";
import { summaryOf } from "./summary.js";
import { configOf, differingOf, reachedTable, warningsOf } from "./tables.js";

/** A part of a page with a heading; pages that are live renew it as a whole. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

const section = (id: string, title: string, body: Html | undefined): Section[] =>
  body === undefined ? [] : [{ id, title, body }];

/** Everything that is shown of one run, or of several on the same axes. */
export function sectionsOf(runs: readonly RunView[]): Section[] {
  const [first] = runs;
  if (first === undefined) return [];
  const isOne = runs.length === 1;
  return [
    ...section("summary", "Summary", summaryOf(runs)),
    ...section("curves", "Curves", isOne ? curvesOf(first) : overlaysOf(runs)),
    ...section("reached", "What was reached", reachedTable(runs)),
    ...section("warnings", "Warnings", warningsOf(runs)),
    ...runs.flatMap((run, i) => {
      const title = isOne ? "Token by token" : `Token by token: ${run.name}`;
      return section(`tokens-${i}`, title, heatMapOf(run.traces, String(i)));
    }),
    ...runs.flatMap((run, i) => {
      const title = isOne ? "Samples over time" : `Samples over time: ${run.name}`;
      return section(`samples-${i}`, title, samplesOf(run.samples));
    }),
    ...section(
      "config",
      isOne ? "Config" : "What differs",
      isOne ? configOf(first) : differingOf(runs),
    ),
  ];
}
