import { applyOverrides, parseConfig } from "../../../config/index.js";
import { compareRuns, comparisonTables, writeReport } from "../../../node/index.js";
import { z } from "zod";
import { tableText } from "../../terminal/table-text.js";
import { writeLine } from "../../terminal/terminal.js";

export const compareSchema = z.strictObject({
  output: z.string().optional().describe("Folder for a report beside what is printed."),
});

/** `pupil compare <run> <run> … [output=<folder>]`. */
export async function compareCommand(words: readonly string[]): Promise<void> {
  const options = words.filter((word) => word.startsWith("output="));
  const { output } = parseConfig(compareSchema, applyOverrides({}, options), "compare");
  const folders = words.filter((word) => !options.includes(word));
  const { plan, results, cells } = await compareRuns(folders);
  for (const table of comparisonTables(plan, results, cells)) {
    writeLine(process.stdout, `${tableText(table)}\n`);
  }
  if (output === undefined) return;
  const command = `npx pupil compare ${words.join(" ")}`;
  const about = { command, environment: "Runs that existed already." };
  await writeReport({ ...plan, folder: output }, results, cells, about, { drawings: true });
  writeLine(process.stdout, `Report: ${output}/report.html, report.md, results.json`);
}
