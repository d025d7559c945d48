import { z } from "zod";

const ids = () => z.array(z.int().min(0));

const writtenRowSchema = z.strictObject({
  rollout: z.strictObject({
    promptIds: ids(),
    completionIds: ids(),
    tokenLogProbs: z.array(z.number()),
    finished: z.boolean(),
  }),
  source: z.strictObject({
    ids: ids(),
    completionStart: z.int().min(0),
    learned: ids().exactOptional(),
    reference: ids().exactOptional(),
    id: z.string().exactOptional(),
  }),
});

/** What a replay is at the end of a step: all that a checkpoint has to hold of it. */
export const replayStateSchema = z.strictObject({
  threshold: z.number().min(0).max(1),
  // Not finite where the student diverges.
  validationLoss: z.custom<number | null>((x) => x === null || typeof x === "number"),
  rows: z.array(writtenRowSchema),
});

/** A row that a student wrote, and the row of the data that its prompt is from. */
export type WrittenRow = z.output<typeof writtenRowSchema>;
export type ReplayState = z.output<typeof replayStateSchema>;
