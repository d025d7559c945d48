import { z } from "zod";
import { firstProblem, PupilError, showValue } from "../../errors/index.js";

/** Of `manifest.json` and of every shard; a reader takes no other. */
export const recordingVersion = 1;

const count = () => z.int().min(0);

const common = {
  formatVersion: z.literal(recordingVersion),
  /** Of the stored log-probabilities or hidden states. */
  dtype: z.enum(["float16", "float32"]),
  vocabSize: z
    .int()
    .min(1)
    .max(2 ** 32),
  /** Longest row that the teacher could score; null where it has no limit. */
  maxPositions: z.int().min(1).nullable(),
  /** Of the tokenizer that is stored beside the manifest. */
  tokenizer: z.string(),
  teacher: z.object({
    name: z.string(),
    config: z.record(z.string(), z.unknown()),
    hash: z.string(),
    /** What the hash is of: the files with its weights, or only its config. */
    hashOf: z.enum(["weights", "description"]),
  }),
  /** Where the rows are from: the run's data and seed, and whether the teacher wrote completions. */
  source: z.record(z.string(), z.unknown()),
};

/** Of a recording of K tokens and their log-probabilities per position. */
const logProbs = z.object({
  ...common,
  /** Whether the K tokens of a position are the likeliest or draws with replacement. */
  tokens: z.enum(["likeliest", "draws"]),
  k: z
    .int()
    .min(1)
    .max(2 ** 16),
  /** Of the draws. */
  sampleTemperature: z.number().positive(),
});

/** Of a recording of what the head reads at every position. */
const hiddenStates = z.object({
  ...common,
  tokens: z.literal("hidden-states"),
  /** D */
  hiddenSize: z.int().min(1),
  head: z.object({
    /** SHA-256 of its float32 values, row by row, little-endian. */
    hash: z.string().regex(/^[0-9a-f]{64}$/, "no SHA-256"),
    /** The model folder that has it; null where it is beside the manifest. */
    from: z.string().nullable(),
  }),
});

/** What was recorded and how. Equal descriptions of the same data give the same bytes. */
export type RecordingDescription = z.output<typeof logProbs> | z.output<typeof hiddenStates>;

export const recordingShardSchema = z.object({
  file: z.string().regex(/^shard-\d{5}\.bin$/, "no name of a shard"),
  bytes: count(),
  rows: count(),
});

const progress = {
  /** Whether every row of the source was recorded. */
  complete: z.boolean(),
  shards: z.array(recordingShardSchema),
  counts: z.object({
    /** Rows of the source that were looked at. */
    sourceRows: count(),
    /** Rows that are stored, each once. */
    rows: count(),
    /** Positions with log-probabilities or hidden states. */
    tokens: count(),
    /** Source rows that were stored already. */
    repeated: count(),
    /** Completions that were cut off before the teacher ended them; they are kept without an end. */
    unfinished: count(),
  }),
};
const logProbsManifest = logProbs.extend(progress);
const hiddenStatesManifest = hiddenStates.extend(progress);

/** `manifest.json` of a recording. */
export const recordingManifestSchema = z.discriminatedUnion("tokens", [
  logProbsManifest,
  hiddenStatesManifest,
]);
export type LogProbsManifest = z.output<typeof logProbsManifest>;
export type HiddenStatesManifest = z.output<typeof hiddenStatesManifest>;
export type RecordingManifest = LogProbsManifest | HiddenStatesManifest;
export type RecordingCounts = RecordingManifest["counts"];

/**
 * Checks what was read from a `manifest.json`.
 *
 * @throws PupilError for another format version or a manifest that is not whole
 */
export function parseRecordingManifest(json: unknown, path: string): RecordingManifest {
  const version = (json as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== recordingVersion) {
    throw new PupilError(
      version === undefined
        ? "This is not the manifest of a recording: it has no formatVersion."
        : `The recording has format version ${showValue(version)}, this pupil reads version ${recordingVersion}.`,
      { field: path, value: version, remedy: "Record it again with pupil record-teacher." },
    );
  }
  const result = recordingManifestSchema.safeParse(json);
  if (result.success) return result.data;
  const { path: where, problem } = firstProblem(result.error, json);
  throw new PupilError(`The manifest is damaged: ${where.join(".")} ${problem}`, {
    field: path,
    remedy: "Record it again, or restore the file.",
  });
}
