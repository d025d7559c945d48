import { versions } from "../runs/folder/versions.js";
import { heatScript } from "./heat-script.js";
import { html } from "./html.js";
import { pageOf } from "./page.js";
import type { RunView } from "./run-view.js";
import { sectionsOf } from "./sections.js";

/** A report of a run, or of several side by side, as a page in one file. */
export function runReport(runs: readonly RunView[], now = new Date()): string {
  const names = runs.map(({ name }) => name);
  return pageOf({
    title: names.length > 3 ? `${names.length} runs` : names.join(", "),
    about: html`<span class="note">Report of ${now.toISOString().slice(0, 16).replace("T", " ")} UTC, pupil ${versions()["pupil"]}</span>`,
    sections: sectionsOf(runs),
    scripts: [heatScript],
  });
}
