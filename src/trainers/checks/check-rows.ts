import { PupilError } from "../../errors/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { TrainingData } from "../data-source.js";

/** Rows that are looked at per request, so that data on disk need not be in memory. */
const rowsPerRequest = 1024;

/** Which rows a run reads: rows are a function of the step and the batch size. */
export interface RunRows {
  readonly steps: number;
  readonly batchSize: number;
}

/**
 * Refuses data of which a teacher that knows only certain rows does not know all that the run will
 * read: every row of the data, or the rows of all steps where the data is endless.
 *
 * @throws PupilError that names the first such row and says how many there are
 */
export async function checkRows(
  teacher: Pick<Teacher, "name" | "knows" | "remedyForUnknownRows">,
  data: TrainingData,
  { steps, batchSize }: RunRows,
): Promise<void> {
  if (teacher.knows === undefined) return;
  const total = Math.min(data.size ?? Number.POSITIVE_INFINITY, steps * batchSize);
  // A part of the data is asked for as the run will: which rows it has may depend on the batch size.
  const count = total === data.size ? rowsPerRequest : batchSize;
  let unknown = 0;
  let first: string | undefined;
  for (let start = 0; start < total; start += count) {
    const rows = await data.rows(start / count, count);
    for (const [i, row] of rows.slice(0, total - start).entries()) {
      if (teacher.knows(row)) continue;
      unknown += 1;
      first ??= row.id ?? `row ${start + i + 1} of the run`;
    }
  }
  if (unknown === 0) return;
  throw new PupilError(
    `"${teacher.name}" does not have ${first}. It lacks ${unknown} of the ${total} rows that this run reads.`,
    {
      field: "teacher",
      value: first,
      ...(teacher.remedyForUnknownRows === undefined
        ? {}
        : { remedy: teacher.remedyForUnknownRows }),
    },
  );
}
