import { z } from "zod";
import { learnedTurns } from "./chat/encode-chat.js";
import { dataFormats } from "./readers/index.js";
import { longRowPolicies } from "./rows/row-tokenizer.js";
import { taskConfigSchema } from "./tasks/index.js";
import { hierarchicalTemplateSchema } from "./templates/index.js";
import { verifierSchema } from "./verifiers/index.js";

const path = (what: string) => z.string().min(1).describe(what);
const name = (what: string) => z.string().min(1).optional().describe(what);

const validationFraction = z
  .number()
  .gt(0)
  .lt(1)
  .default(0.1)
  .describe("Share of the data, taken from its end, that is kept for evaluation.");

const memoryLimitBytes = z
  .int()
  .min(0)
  .default(1024 ** 3)
  .describe("Tokens beyond these bytes wait in a temporary file, not in memory.");

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
    memoryLimitBytes,
  })
  .refine(({ promptLength, sequenceLength }) => promptLength <= sequenceLength, {
    message: "must not exceed sequenceLength",
    path: ["promptLength"],
  })
  .describe("One long text, learned in random windows.");

const promptFields = {
  prefix: z
    .string()
    .default("")
    .describe("Text put before every prompt, such as a mark for a budget or a view."),
  budget: z
    .number()
    .positive()
    .optional()
    .describe(
      "Tokens that a completion should have: evaluations then measure budgetError, the mean of |length - budget| / budget, and violationRate, the share of longer ones.",
    ),
};

const rowFields = {
  ...promptFields,
  fields: z
    .strictObject({
      prompt: name("Field with the prompt: text or a list of messages. Default: `prompt`."),
      completion: name("Field with the completion, in the prompt's form. Default: `completion`."),
      answer: name("Field with the final answer. Default: `answer`, where rows have it."),
      messages: name("Field with a chat: a list of {role, content}, or of {from, value}."),
      tools: name("Field with the tools of a chat. Default: `tools`, where rows have it."),
      text: name("Field with a text, all of which is learned."),
      id: name("Field that names a row in messages. Default: file and line."),
    })
    .prefault({})
    .describe(
      "Fields to read: prompt and completion, or messages, or text, or a prompt alone for students that write the completions; dots lead inside, as in `turns.0.value`. Default: whichever of these the first row has.",
    ),
  separator: z
    .string()
    .default("")
    .describe("Text put after every prompt; it belongs to the prompt."),
  chatTemplate: name("Jinja template for chats. Default: the tokenizer's own."),
  learn: z
    .enum(learnedTurns)
    .default("all")
    .describe(
      "Turns of the assistant that are learned: all of a chat, or its last one. A turn with `weight: 0` or `train: false` is only read.",
    ),
  maxLength: z
    .int()
    .min(2)
    .optional()
    .describe("Most tokens of a row, its end token included. Default: the model's context."),
  longRows: z
    .enum(longRowPolicies)
    .default("truncate")
    .describe("What to do with longer rows; how many there were is printed and recorded."),
  verifier: verifierSchema
    .optional()
    .describe(
      "Judges completions by the answers of the rows: it gives accuracy, and problems to methods that ask and verify. All rows must then have an answer; their texts are held in memory.",
    ),
  lengthBuckets: z
    .union([z.boolean(), z.int().min(2)])
    .default(false)
    .describe(
      "Batches of rows of similar length: rows are sorted within this many batches of an epoch's random order; true: 50.",
    ),
  memoryLimitBytes,
};

const delimiter = z
  .string()
  .length(1)
  .refine((character) => !'"\r\n'.includes(character), { message: "separates no fields" })
  .optional()
  .describe(
    "For CSV and TSV files: the character between fields. Default: a tab for TSV; for CSV a comma, or a semicolon where the first line has only those.",
  );

const tableFields = {
  rowsField: name("For JSON files that are an object: the field with the list of rows."),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("For CSV and TSV files without a header line: the names of their columns."),
  delimiter,
};

const format = z
  .enum(dataFormats)
  .optional()
  .describe("Format of the files. Default: by the end of their names.");

const split = z.string().min(1).default("train").describe("Split of a dataset folder to train on.");

export const fileDatasetSchema = z
  .strictObject({
    type: z.literal("file"),
    path: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe("A file, a list of files, or a Hugging Face dataset folder."),
    format,
    split,
    validationPath: path("Rows to evaluate on instead of the last rows of `path`.").optional(),
    validationSplit: name("Split of the folder to evaluate on instead of the end of `split`."),
    validationFraction,
    ...tableFields,
    ...rowFields,
  })
  .describe("Rows of JSONL, JSON, text, CSV, TSV or Parquet files.");

export const jsonlDatasetSchema = z
  .strictObject({
    type: z.literal("jsonl"),
    path: path("A file with one JSON object per line."),
    validationPath: path("Rows to evaluate on instead of the last rows of `path`.").optional(),
    validationFraction,
    ...rowFields,
  })
  .describe("`file` for one file of JSONL.");

export const hubDatasetSchema = z
  .strictObject({
    type: z.literal("hub"),
    dataset: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)?$/, 'write "owner/name", as on huggingface.co/datasets')
      .describe('Name of a dataset on the Hugging Face Hub: "owner/name".'),
    revision: z.string().min(1).default("main").describe("Branch, tag or commit."),
    subset: name("Folder of the dataset to read, where it has several."),
    format,
    split,
    validationSplit: name("Split to evaluate on instead of the end of `split`."),
    validationFraction,
    ...tableFields,
    ...rowFields,
  })
  .describe("Rows of a dataset on the Hub; HF_TOKEN is used for private ones.");

export const rerankDatasetSchema = z
  .strictObject({
    type: z.literal("rerank"),
    corpus: path(
      "Passages: TSV with id and text, or JSONL with `_id`, `text` and perhaps `title`.",
    ),
    queries: path("Queries: TSV with id and text, or JSONL with `_id` and `text`."),
    qrels: path("Grades, four columns: query id, 0, passage id, grade."),
    run: path(
      "A first-stage ranking, six columns: query id, Q0, passage id, rank, score, tag.",
    ).optional(),
    validationFraction: z
      .number()
      .gt(0)
      .lte(1)
      .default(0.2)
      .describe("Share of the lists, the last ones, to evaluate on; 1: all, to evaluate only."),
    queryLength: z.int().min(1).default(32).describe("Most tokens of a query (DeAR: 32)."),
    passageLength: z.int().min(1).default(196).describe("Most tokens of a passage (DeAR: 196)."),
  })
  .describe("Queries with graded passages, in TREC's form.");

export const pairsDatasetSchema = z
  .strictObject({
    type: z.literal("pairs"),
    path: path("A file of rows with a prompt and two answers: JSONL, JSON, CSV, TSV or Parquet."),
    format,
    validationPath: path("Pairs to evaluate on instead of the last ones of `path`.").optional(),
    validationFraction,
    fields: z
      .strictObject({
        prompt: name(
          "Field with the prompt. Default: `prompt`; in rows without it, what both answers begin with.",
        ),
        positive: name("Field with the preferred answer. Default: `chosen`."),
        negative: name("Field with the rejected answer. Default: `rejected`."),
        tools: name("Field with the tools of a chat. Default: `tools`, where rows have it."),
      })
      .prefault({})
      .describe(
        "Names of the fields to read, each a text or a list of messages; dots lead inside.",
      ),
    delimiter,
    chatTemplate: name("Jinja template for lists of messages. Default: the tokenizer's own."),
    separator: z
      .string()
      .default("")
      .describe("Text put after every prompt; it belongs to the prompt."),
    maxLength: z
      .int()
      .min(2)
      .optional()
      .describe(
        "Most tokens of prompt and answer; longer pairs are left out and counted. Default: the model's context.",
      ),
  })
  .describe("Prompts with a preferred and a rejected answer, for the pairs trainer.");

export const taskDatasetSchema = z
  .strictObject({
    type: z.literal("task"),
    task: taskConfigSchema.describe("The task and its options."),
    template: hierarchicalTemplateSchema
      .optional()
      .describe(
        "Solutions in two layers, steps with their keys and a summary of the keys, in place of the task's own form; students are judged and gone on with in it too. Default: none.",
      ),
    ...promptFields,
  })
  .describe("Endless problems of a built-in task, with exact answers.");

export const prontoqaDatasetSchema = z
  .strictObject({
    type: z.literal("prontoqa"),
    path: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe("A file, or several, as PrOntoQA's generator or Logic-LLM writes them."),
    validationPath: path("Problems to evaluate on instead of the last ones of `path`.").optional(),
    validationFraction,
    ...promptFields,
  })
  .describe("Files of PrOntoQA, whose proofs the task prontoqa judges step by step.");

export type TextDataset = z.output<typeof textDatasetSchema>;
export type FileDataset = z.output<typeof fileDatasetSchema>;
export type JsonlDataset = z.output<typeof jsonlDatasetSchema>;
export type HubDataset = z.output<typeof hubDatasetSchema>;
export type RerankDataset = z.output<typeof rerankDatasetSchema>;
export type PairsDataset = z.output<typeof pairsDatasetSchema>;
export type ProntoqaDataset = z.output<typeof prontoqaDatasetSchema>;
export type TaskDataset = z.output<typeof taskDatasetSchema>;
