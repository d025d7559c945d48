import { join, relative } from "node:path";
import { z } from "zod";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { followLog, type LogFollower } from "../logs/follow-log.js";
import { chartOf } from "../pages/chart.js";
import { type Html, html } from "../pages/html.js";
import { panelsOf, type Series } from "../pages/series.js";
import type { Section } from "../pages/sections.js";
import { stateChip } from "../pages/summary.js";
import { findFolders, isRunFolder, type ListedRun, listRun } from "../runs/folder/list-runs.js";
import { folderAt } from "./places.js";

const planSchema = z.object({
  name: z.string().default("ablation"),
  baseline: z.string().optional(),
  claim: z.object({ text: z.string() }).optional(),
  arms: z.array(z.object({ name: z.string() })).default([]),
});
const cellsSchema = z.array(z.object({ arm: z.string(), seed: z.number(), folder: z.string() }));
const verdictSchema = z.object({
  verdict: z.object({ claim: z.string(), result: z.string() }).optional(),
});

interface ViewedCell {
  readonly arm: string;
  readonly seed: number | undefined;
  /** From the folder that is viewed; undefined where the run has not begun, or lies outside of it. */
  readonly path: string | undefined;
  readonly run: ListedRun | undefined;
  readonly follower: LogFollower | undefined;
}

/** Runs that an ablation's page draws, at most. */
const mostCells = 64;

/**
 * An ablation while it runs and afterwards: what it claims, where each arm and seed stands, the measures of the arms over
 * the steps.
 *
 * @param followerOf a log, so that it is not read anew each time
 */
export async function ablationSections(
  root: string,
  folder: string,
  followerOf: (log: string) => LogFollower = followLog,
): Promise<Section[]> {
  const plan = planSchema.parse(await readJson(join(folder, "ablation.json")));
  const cells: ViewedCell[] = [];
  for (const cell of (await cellsOf(folder)).slice(0, mostCells)) {
    const place = await folderAt(root, relative(root, join(folder, cell.folder)));
    const hasRun = place !== undefined && (await isRunFolder(place));
    const follower = hasRun ? followerOf(join(place, "metrics.jsonl")) : undefined;
    await follower?.update();
    const run = hasRun ? await listRun(place) : undefined;
    const path = hasRun ? relative(root, place) : undefined;
    cells.push({ arm: cell.arm, seed: cell.seed, path, run, follower });
  }
  const arms = [...new Set([...plan.arms.map(({ name }) => name), ...cells.map(({ arm }) => arm)])];
  return [
    { id: "claim", title: "Claim", body: await claimOf(plan, folder) },
    { id: "runs", title: "Arms and seeds", body: cellTable(arms, cells) },
    { id: "curves", title: "Curves", body: armCurves(arms, cells) },
  ];
}

/** What runs where; of an ablation of an earlier version the runs that are found. */
export async function cellsOf(
  folder: string,
): Promise<{ arm: string; seed: number | undefined; folder: string }[]> {
  const file = join(folder, "cells.json");
  if (await exists(file)) return cellsSchema.parse(await readJson(file));
  const found = await findFolders(folder, isRunFolder);
  return found.map((path) => ({ arm: "run", seed: undefined, folder: relative(folder, path) }));
}

async function claimOf(
  { claim, baseline }: z.output<typeof planSchema>,
  folder: string,
): Promise<Html> {
  const file = join(folder, "results.json");
  const results = (await exists(file))
    ? verdictSchema.safeParse(await readJson(file)).data
    : undefined;
  const verdict = results?.verdict;
  return html`<p>${claim?.text ?? "No claim was stated."}</p>${baseline === undefined ? undefined : html`<p class="note">Baseline: ${baseline}.</p>`}<p>${verdict === undefined ? "There is no verdict yet." : html`Verdict: <b>${verdict.result}</b>. The whole report is report.html in the folder of the ablation.`}</p>`;
}

function cellTable(arms: readonly string[], cells: readonly ViewedCell[]): Html {
  const seeds = [...new Set(cells.map(({ seed }) => seed))];
  const cellOf = (arm: string, seed: number | undefined) =>
    cells
      .filter((cell) => cell.arm === arm && cell.seed === seed)
      .map(({ path, run }) => {
        if (run === undefined || path === undefined) return html`<span class="note">waiting</span>`;
        return html`<a href="/run?path=${encodeURIComponent(path)}">${run.done} / ${run.steps}</a> ${stateChip(run.state)} `;
      });
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of arms and seeds"><table><thead><tr><th scope="col">arm</th>${seeds.map((seed) => html`<th scope="col">${seed === undefined ? "run" : `seed ${seed}`}</th>`)}</tr></thead><tbody>${arms.map((arm, i) => html`<tr><th scope="row"><span class="dot" style="background:var(--series-${i % 8})"></span> ${arm}</th>${seeds.map((seed) => html`<td>${cellOf(arm, seed)}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Of each measure of evaluations a chart with a curve for each run, in the colour of its arm. */
function armCurves(arms: readonly string[], cells: readonly ViewedCell[]): Html {
  const charts = new Map<string, { title: string; unit: string; series: Series[] }>();
  const steps = Math.max(1, ...cells.map(({ run }) => run?.steps ?? 0));
  for (const { arm, follower } of cells) {
    if (follower === undefined) continue;
    for (const { title, unit, series } of panelsOf(follower)) {
      for (const one of series.filter(({ isMeasured }) => isMeasured)) {
        const name = title === one.label ? title : `${title}: ${one.label}`;
        const chart = charts.get(one.label) ?? { title: name, unit, series: [] };
        chart.series.push({ ...one, label: arm, group: arms.indexOf(arm) });
        charts.set(one.label, chart);
      }
    }
  }
  if (charts.size === 0) return html`<p class="note">Nothing has been evaluated yet.</p>`;
  return html`<div class="charts">${[...charts.values()].map((chart) => chartOf(chart, { steps, marks: [] }))}</div><p class="note">A curve for each seed, in the colour of its arm; the legend has the means of their last values.</p>`;
}
