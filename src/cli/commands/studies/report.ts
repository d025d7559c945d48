import { z } from "zod";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { writeRunReport } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

export const reportSchema = z.strictObject({
  output: z.string().optional().describe("File to write. Default: report.html in the first run."),
});

/** `pupil report <run> [<run> …] [output=report.html]`. */
export async function reportCommand(words: readonly string[]): Promise<void> {
  const options = words.filter((word) => word.startsWith("output="));
  const { output } = parseConfig(reportSchema, applyOverrides({}, options), "report");
  const folders = words.filter((word) => !options.includes(word));
  writeLine(process.stdout, `Report: ${await writeRunReport(folders, output)}`);
}
