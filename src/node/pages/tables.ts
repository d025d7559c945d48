import { reachedIn } from "../logs/reached.js";
import { differences } from "../runs/folder/differences.js";
import { type Html, html } from "./html.js";
import { shortNumber } from "./numbers.js";
import type { RunView } from "./run-view.js";

const evaluationsOf = ({ log }: RunView) => log.others.filter((row) => row.type === "evaluation");

/** What each measure was first, last and at best. */
export function reachedTable(runs: readonly RunView[]): Html | undefined {
  const all = runs.map((run) => ({ run, reached: reachedIn(evaluationsOf(run)) }));
  const names = [...new Set(all.flatMap(({ reached }) => reached.map(({ name }) => name)))];
  if (names.length === 0) return undefined;
  const isOne = runs.length === 1;
  const rows = names.flatMap((name) =>
    all.flatMap(({ run, reached }) => {
      const found = reached.find((one) => one.name === name);
      if (found === undefined) return [];
      const { first, last, best } = found;
      return [
        html`<tr><th scope="row">${name}</th>${isOne ? undefined : html`<td>${run.name}</td>`}${[first, last].map((value) => html`<td class="number">${shortNumber(value)}</td>`)}<td class="number">${best === undefined ? "" : shortNumber(best.value)}</td><td class="number">${best?.step ?? ""}</td></tr>`,
      ];
    }),
  );
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of measures"><table><thead><tr><th scope="col">measure</th>${isOne ? undefined : html`<th scope="col">run</th>`}<th scope="col" class="number">first</th><th scope="col" class="number">last</th><th scope="col" class="number">best</th><th scope="col" class="number">at step</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function warningsOf(runs: readonly RunView[]): Html | undefined {
  const found = runs.flatMap(({ name, log }) =>
    log.others.flatMap((row) => (row.type === "warning" ? [{ name, ...row }] : [])),
  );
  if (found.length === 0) return undefined;
  return html`<ul class="warnings">${found.map(
    ({ name, message, remedy }) =>
      html`<li>${runs.length > 1 ? html`<b>${name}</b>: ` : undefined}${message} <span class="remedy">${remedy}</span></li>`,
  )}</ul>`;
}

export const configOf = ({ config }: RunView) =>
  html`<pre tabindex="0" aria-label="Config">${JSON.stringify(config, null, 2)}</pre>`;

/** Fields in which the configs differ, a column for each run. */
export function differingOf(runs: readonly RunView[]): Html {
  const [first, ...others] = runs as [RunView, ...RunView[]];
  const paths = [...new Set(others.flatMap(({ config }) => differences(first.config, config)))];
  if (paths.length === 0) return html`<p>The configs are the same.</p>`;
  const valueAt = (config: unknown, path: string) =>
    path
      .split(".")
      .reduce<unknown>(
        (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
        config,
      );
  const cell = (config: unknown, path: string) => JSON.stringify(valueAt(config, path)) ?? "—";
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of fields that differ"><table><thead><tr><th scope="col">field</th>${runs.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${paths.map((path) => html`<tr><th scope="row">${path}</th>${runs.map(({ config }) => html`<td><span class="wrap">${cell(config, path)}</span></td>`)}</tr>`)}</tbody></table></div>`;
}
