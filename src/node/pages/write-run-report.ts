import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { type RunView, viewRun } from "./run-view.js";

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
  // Loaded only here: the libraries that draw take half as long to load as all the rest.
  const { runReport } = await import("./report.js");
  await writeFileAtomic(output, runReport(runs));
  return output;
}
