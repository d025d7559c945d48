import { z } from "zod";
import { samplingPolicySchema } from "../rollouts/index.js";

/** What `pupil record-teacher` is told besides the run config. */
export const recordOptionsSchema = z.strictObject({
  output: z.string().min(1).describe("Folder of the recording."),
  rows: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Training rows to record. Default: all of the data; of endless data, all that the config's trainer reads (steps × batchSize).",
    ),
  heldOut: z.boolean().default(true).describe("Records the evaluation rows as well."),
  generate: z
    .boolean()
    .default(false)
    .describe(
      "The teacher writes the completions of the training prompts itself; they are stored in rows.jsonl too.",
    ),
  sampling: samplingPolicySchema.prefault({}).describe("How the teacher writes."),
  maxNewTokens: z
    .int()
    .min(1)
    .optional()
    .describe("Longest completion that the teacher writes. Default: the longest of the data."),
  store: z
    .enum(["log-probs", "hidden-states"])
    .default("log-probs")
    .describe(
      "What is stored per position: teacher.topK or teacher.samples tokens with their log-probabilities, or the numbers that the teacher's head reads, for a teacher of type hidden-states.",
    ),
  head: z
    .enum(["copy", "reference"])
    .default("copy")
    .describe(
      "With hidden-states: stores the head beside them, or only names the teacher's model folder.",
    ),
  dtype: z
    .enum(["float16", "float32"])
    .default("float16")
    .describe("Of the stored log-probabilities or hidden states."),
  batchSize: z.int().min(1).default(16).describe("Rows that the teacher is asked about at once."),
  shardRows: z
    .int()
    .min(1)
    .default(1024)
    .describe("Source rows per file; an interrupted recording loses at most one file."),
});
export type RecordOptions = z.output<typeof recordOptionsSchema>;
