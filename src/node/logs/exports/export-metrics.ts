import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../files/atomic.js";
import { explainFileErrors } from "../../files/read-files.js";
import { csvOf } from "./csv.js";
import { eventsOf } from "./tensorboard.js";

/** By format: where the export lies in the run folder, and what it is made of. */
const formats = {
  csv: { file: "metrics.csv", piecesOf: csvOf },
  // TensorBoard reads every file with this in its name; one of the same name is replaced.
  tensorboard: { file: "tensorboard/events.out.tfevents.0.pupil", piecesOf: eventsOf },
} as const;

export const exportMetricsSchema = z.strictObject({
  format: z
    .enum(Object.keys(formats) as [keyof typeof formats])
    .default("csv")
    .describe("csv: a table; tensorboard: an event file."),
  output: z.string().optional().describe("File to write. Default: a file in the run folder."),
});

/**
 * Writes the steps and evaluations of a run in another format; a run that goes on is exported as far as it is.
 *
 * @returns the file
 */
export async function exportMetrics(
  run: string,
  { format, output }: z.output<typeof exportMetricsSchema>,
): Promise<string> {
  const { file, piecesOf } = formats[format];
  const log = join(run, "metrics.jsonl");
  await explainFileErrors(log, "log of the run", () => stat(log));
  const path = output ?? join(run, file);
  await writeFileAtomic(path, piecesOf(log));
  return path;
}
