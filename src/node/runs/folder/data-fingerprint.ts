import { createHash } from "node:crypto";
import { join } from "node:path";
import type { PreparedData, RunConfig } from "../../../config/index.js";
import { exists } from "../../files/file-exists.js";
import { readJson } from "../../files/read-files.js";

/** What a run notes of its training rows, to tell when it is resumed whether they are the same. */
export interface DataFingerprint {
  /** Undefined for data without an end. */
  readonly rows?: number;
  /** SHA-256 of the lengths of all rows, and of the ids of the first step's. */
  readonly sha256: string;
}

/** File of a run folder. */
export const fingerprintFile = "data.json";

export async function fingerprintOf(
  { trainer: { type, batchSize } }: RunConfig,
  { training, ranking, lengths }: Pick<PreparedData, "training" | "ranking" | "lengths">,
): Promise<DataFingerprint> {
  // Lists of files are no rows.
  const first =
    type === "rank" && ranking !== undefined
      ? (await ranking.lists(0, batchSize)).map(({ candidates }) =>
          candidates.map(({ ids, grade = 0 }) => [grade, ...ids]),
        )
      : (await training.rows(0, batchSize)).map(({ ids, completionStart }) => [
          completionStart,
          ...ids,
        ]);
  const hash = createHash("sha256").update(JSON.stringify([lengths?.() ?? null, first]));
  const { size } = training;
  return { ...(size === undefined ? {} : { rows: size }), sha256: hash.digest("hex") };
}

/** What to say where a run goes on with other rows than it began with; runs of earlier versions cannot tell. */
export async function describeOtherData(
  folder: string,
  now: DataFingerprint,
  step: number,
): Promise<string[]> {
  const path = join(folder, fingerprintFile);
  if (step === 0 || !(await exists(path))) return [];
  const began = (await readJson(path, "note of the data")) as Partial<DataFingerprint> | null;
  if (began?.sha256 === now.sha256) return [];
  const sizes =
    began?.rows === now.rows ? "" : ` (${began?.rows ?? "?"} rows to train on, now ${now.rows})`;
  return [
    `The data is not what the run began with${sizes}: the steps after step ${step} see other rows, ` +
      "and rows that are seen already may come again.",
  ];
}
