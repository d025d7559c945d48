import { z } from "zod";
import { readRows } from "../../data/index.js";
import type { Problem } from "../../data/index.js";
import { firstProblem, PupilError } from "../../errors/index.js";
import type { GivenTrace } from "../../rollouts/index.js";
import { openDataFile } from "../files/open-data-file.js";

const rowSchema = z.object({
  id: z.string(),
  prompt: z.string(),
  completion: z.string(),
  finished: z.boolean().default(true),
  correct: z.boolean(),
  source: z.string().default("data"),
});

/**
 * The traces of an earlier collection by the problem that they solve.
 *
 * @throws PupilError for rows that are no traces, and where no problem has any
 */
export async function readGivenTraces(
  path: string,
  problems: readonly Problem[],
): Promise<(problem: Problem) => readonly GivenTrace[]> {
  const byId = new Map<string, GivenTrace[]>();
  for await (const { row, where } of readRows(await openDataFile(path), { format: "jsonl" })) {
    const { data, error } = rowSchema.safeParse(row);
    if (data === undefined) {
      const { path: field, problem } = firstProblem(error, row);
      throw new PupilError(`is no trace: ${field.join(".")} ${problem}`, {
        field: where,
        remedy: "Give rows.jsonl of a collection without pairs.",
      });
    }
    const { id, completion, finished, correct, source } = data;
    byId.set(id, [...(byId.get(id) ?? []), { completion, finished, correct, source }]);
  }
  if (!problems.some(({ id }) => byId.has(id))) {
    throw new PupilError("has no trace of any of the problems.", {
      field: path,
      remedy: "Collect from the same problems: the same dataset, seed, start and count.",
    });
  }
  return ({ id }) => byId.get(id) ?? [];
}
