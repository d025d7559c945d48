import { z } from "zod";
import { taskConfigSchema } from "./tasks/index.js";
import { longRowPolicies } from "./tokenize.js";

const path = (what: string) => z.string().min(1).describe(what);

const validationFraction = z
  .number()
  .gt(0)
  .lt(1)
  .default(0.1)
  .describe("Share of the data, taken from its end, that is kept for evaluation.");

export const textDatasetSchema = z
  .strictObject({
    type: z.literal("text"),
    path: path("A plain text file, UTF-8."),
    validationPath: path("Text to evaluate on instead of the end of `path`.").optional(),
    validationFraction,
    sequenceLength: z
      .int()
      .min(1)
      .default(64)
      .describe("Tokens predicted per row; at most the model's context."),
    promptLength: z
      .int()
      .min(1)
      .default(8)
      .describe("Tokens at the start of a row that a student continues when it samples."),
  })
  .refine(({ promptLength, sequenceLength }) => promptLength <= sequenceLength, {
    message: "must not exceed sequenceLength",
    path: ["promptLength"],
  })
  .describe("One long text, learned in random windows.");

export const jsonlDatasetSchema = z
  .strictObject({
    type: z.literal("jsonl"),
    path: path("A file with one JSON object per line."),
    validationPath: path("Rows to evaluate on instead of the last rows of `path`.").optional(),
    validationFraction,
    fields: z
      .strictObject({
        prompt: z.string().min(1).default("prompt").describe("Field with the prompt."),
        completion: z.string().min(1).default("completion").describe("Field with the completion."),
        answer: z
          .string()
          .min(1)
          .optional()
          .describe("Field with the final answer. Default: `answer`, where rows have it."),
      })
      .prefault({})
      .describe("Names of the fields to read."),
    separator: z
      .string()
      .default("")
      .describe("Text put after every prompt; it belongs to the prompt."),
    maxLength: z
      .int()
      .min(2)
      .optional()
      .describe("Most tokens of a row, its end token included. Default: the model's context."),
    longRows: z
      .enum(longRowPolicies)
      .default("truncate")
      .describe("What to do with longer rows; how many there were is printed and recorded."),
  })
  .describe("Prompts with completions.");

export const taskDatasetSchema = z
  .strictObject({
    type: z.literal("task"),
    task: taskConfigSchema.describe("The task and its options."),
  })
  .describe("Endless problems of a built-in task, with exact answers.");

export type TextDataset = z.output<typeof textDatasetSchema>;
export type JsonlDataset = z.output<typeof jsonlDatasetSchema>;
export type TaskDataset = z.output<typeof taskDatasetSchema>;
