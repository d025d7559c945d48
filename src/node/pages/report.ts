import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { versions } from "../runs/versions.js";
import { heatScript } from "./heat-script.js";
import { html } from "./html.js";
import { pageOf } from "./page.js";
import { type RunView, viewRun } from "./run-view.js";

/** A report of a run, or of several side by side, as a page in one file. */
export async function runReport(runs: readonly RunView[], now = new Date()): Promise<string> {
  // Loaded where something is drawn: the libraries take half as long to load as all the rest.
  const { sectionsOf } = await import("./sections.js");
  const names = runs.map(({ name }) => name);
  return pageOf({
    title: names.length > 3 ? `${names.length} runs` : names.join(", "),
    about: html`<span class="note">Report of ${now.toISOString().slice(0, 16).replace("T", " ")} UTC, pupil ${versions()["pupil"]}</span>`,
    sections: sectionsOf(runs),
    scripts: [heatScript],
  });
}

/**
 * Writes the report of runs as they are now.
 *
 * @param output file; by default `report.html` in the folder of the first run
 * @returns the file
 * @throws PupilError if one of the folders has no run
 */
export async function writeRunReport(
  folders: readonly string[],
  output = join(folders[0] ?? ".", "report.html"),
): Promise<string> {
  const runs: RunView[] = [];
  for (const folder of folders) runs.push(await viewRun(folder));
  await writeFileAtomic(output, await runReport(runs));
  return output;
}
