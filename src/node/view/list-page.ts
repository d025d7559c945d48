import { join } from "node:path";
import { readEnds } from "../logs/read-ends.js";
import { parseRow } from "../logs/log-file.js";
import { type Html, html } from "../pages/html.js";
import { shortNumber } from "../pages/numbers.js";
import type { Section } from "../pages/sections.js";
import { stateChip } from "../pages/summary.js";
import { type ListedRun, listRun } from "../runs/folder/list-runs.js";
import type { Place } from "./places.js";

/** Runs on one page of the list. */
export const runsPerPage = 50;

export interface ListQuery {
  /** What paths have in them. */
  readonly filter: string;
  /** From 1. */
  readonly page: number;
}

/** The places that one page of the list shows. */
export function shownPlaces(places: readonly Place[], { filter, page }: ListQuery) {
  const runs = places.filter(({ kind, path }) => kind === "run" && path.includes(filter));
  const ablations = places.filter(({ kind, path }) => kind === "ablation" && path.includes(filter));
  const pages = Math.max(1, Math.ceil(runs.length / runsPerPage));
  const at = Math.min(Math.max(1, page), pages);
  const shown = runs.slice((at - 1) * runsPerPage, at * runsPerPage);
  return {
    runs: shown,
    count: runs.length,
    ablations: ablations.slice(0, runsPerPage),
    page: at,
    pages,
  };
}

/** What is in a folder: ablations, and runs with their state, measures and a small curve of the loss. */
export async function listSections(
  root: string,
  places: readonly Place[],
  query: ListQuery,
): Promise<Section[]> {
  const { runs, count, ablations, page, pages } = shownPlaces(places, query);
  const rows = await Promise.all(
    runs.map(async ({ path }) =>
      rowOf(path, await listRun(join(root, path)), await lossesOf(join(root, path))),
    ),
  );
  const body =
    count === 0
      ? html`<p class="note">${query.filter === "" ? "There are no runs here yet; they appear when they begin." : `No path has "${query.filter}" in it.`}</p>`
      : html`<form action="/compare"><div class="scroll" tabindex="0" role="group" aria-label="Table of runs"><table><thead><tr><th scope="col"><span class="hidden">compare</span></th><th scope="col">run</th><th scope="col">state</th><th scope="col">steps</th><th scope="col">loss</th><th scope="col">last measures</th></tr></thead><tbody>${rows}</tbody></table></div><p><button class="button">Compare the chosen runs</button></p></form>${pageLinks(query, page, pages)}`;
  return [
    ...(ablations.length === 0
      ? []
      : [{ id: "ablations", title: "Ablations", body: ablationList(ablations) }]),
    { id: "runs", title: `Runs (${count.toLocaleString("en-US")})`, body },
  ];
}

const ablationList = (ablations: readonly Place[]) =>
  html`<ul>${ablations.map(({ path }) => html`<li><a href="/ablation?path=${encodeURIComponent(path)}">${path}</a></li>`)}</ul>`;

function rowOf(
  path: string,
  { state, done, steps, metrics }: ListedRun,
  losses: readonly Loss[],
): Html {
  const measures = Object.entries(metrics).slice(0, 4);
  return html`<tr><td><input type="checkbox" name="path" value="${path}" aria-label="Compare ${path}"></td><th scope="row"><a href="/run?path=${encodeURIComponent(path)}">${path}</a></th><td>${stateChip(state)}</td><td class="number">${done.toLocaleString("en-US")} / ${steps.toLocaleString("en-US")}</td><td>${sparkOf(losses)}</td><td>${measures.map(([name, value]) => html`<span class="measure">${name} <b>${shortNumber(value)}</b></span> `)}</td></tr>`;
}

function pageLinks({ filter }: ListQuery, page: number, pages: number): Html {
  const link = (to: number, text: string) =>
    html`<a href="/?${new URLSearchParams({ q: filter, page: String(to) }).toString()}">${text}</a> `;
  if (pages === 1) return html``;
  return html`<p>Page ${page} of ${pages}. ${page > 1 ? link(page - 1, "Newer") : undefined}${page < pages ? link(page + 1, "Older") : undefined}</p>`;
}

export interface Loss {
  readonly step: number;
  readonly loss: number;
}

/** Losses at the beginning and the end of a log: little is read, whatever its size. */
async function lossesOf(run: string): Promise<Loss[]> {
  const lines = await readEnds(join(run, "metrics.jsonl"), 2 ** 15);
  return lines.flatMap((line) => {
    const row = parseRow(line);
    const loss = row?.type === "step" ? row.values["loss"] : undefined;
    return loss !== undefined && Number.isFinite(loss) ? [{ step: row?.step ?? 0, loss }] : [];
  });
}

/** A small curve without axes. */
function sparkOf(losses: readonly Loss[]): Html {
  const [first, last] = [losses[0], losses.at(-1)];
  if (first === undefined || last === undefined || first.step === last.step) return html``;
  const values = losses.map(({ loss }) => loss);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const pointOf = ({ step, loss }: Loss) => {
    const x = (94 * (step - first.step)) / (last.step - first.step) + 1;
    const y = most > least ? 20 - (18 * (loss - least)) / (most - least) : 11;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const lines = withoutGaps(losses).map(
    (part) =>
      html`<polyline points="${part.map(pointOf).join(" ")}" fill="none" style="stroke:var(--series-0)" stroke-width="1.5" stroke-linecap="round"/>`,
  );
  const words = `Loss from ${shortNumber(first.loss)} to ${shortNumber(last.loss)}`;
  return html`<svg class="spark" viewBox="0 0 96 22" role="img" aria-label="${words}">${lines}</svg>`;
}

/** Losses that follow one another: no line is drawn over the middle of a log that was not read. */
export function withoutGaps(losses: readonly Loss[]): Loss[][] {
  const ways = losses.slice(1).map(({ step }, i) => step - (losses[i] as Loss).step);
  const usual = [...ways].sort((a, b) => a - b)[Math.floor(ways.length / 2)] ?? 1;
  const parts: Loss[][] = [];
  for (const [i, loss] of losses.entries()) {
    const isNext = i > 0 && (ways[i - 1] as number) <= 4 * usual;
    if (isNext) parts.at(-1)?.push(loss);
    else parts.push([loss]);
  }
  return parts;
}
