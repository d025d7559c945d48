import { z } from "zod";
import { datasetSchema } from "../../config/index.js";
import { studentSizes, type StudentSize } from "./students.js";

/** Where problems come from: a task, or rows of files with a verifier. */
export type Problems = z.output<typeof datasetSchema>;
export type ProblemsInput = z.input<typeof datasetSchema>;

/** A setting: the dataset that every arm trains on and is measured on. */
export function problemsField(fallback: ProblemsInput) {
  return datasetSchema
    .prefault(fallback)
    .describe(
      "Where problems come from: any dataset with answers and a verifier; data=<file> sets it.",
    );
}

/** A setting: the size of a model, a name of `studentSizes`. */
export const sizeField = (fallback: StudentSize, of = "student") =>
  z
    .enum(studentSizes)
    .default(fallback)
    .describe(`Size of the ${of}: see src/methods/blocks/students.ts.`);

/** A setting: optimizer steps, at least 1. */
export const stepsField = (fallback: number, of: string) =>
  z.int().min(1).default(fallback).describe(`Optimizer steps of ${of}.`);

/** A setting: a learning rate, above 0. */
export const rateField = (fallback: number, of: string) =>
  z.number().positive().default(fallback).describe(`Highest learning rate of ${of}.`);

/** What most methods let one choose, and what every stage of them shares. */
export interface BaseDefaults {
  readonly problems: ProblemsInput;
  readonly student?: StudentSize;
  readonly batchSize?: number;
  readonly evaluationRows?: number;
  readonly evaluateEvery?: number;
}

/** Fields to spread into a method's settings; `train` reads them. */
export function baseSettings(defaults: BaseDefaults) {
  const { problems, student = "S0", batchSize = 16 } = defaults;
  const { evaluationRows = 200, evaluateEvery = 100 } = defaults;
  return {
    problems: problemsField(problems),
    student: sizeField(student),
    batchSize: z.int().min(1).default(batchSize).describe("Rows per optimizer step."),
    evaluationRows: z.int().min(1).default(evaluationRows).describe("Held-out problems."),
    evaluateEvery: z
      .int()
      .min(0)
      .default(evaluateEvery)
      .describe("Steps between evaluations, for the learning curves; 0: at the end only."),
  };
}

/** The settings that {@link baseSettings} gives. */
export interface BaseSettings {
  readonly problems: Problems;
  readonly student: StudentSize;
  readonly batchSize: number;
  readonly evaluationRows: number;
  readonly evaluateEvery: number;
}

/** Whether the problems are of a task, of which a method can ask more than of rows. */
export function isTask(problems: Problems): problems is Extract<Problems, { type: "task" }> {
  return problems.type === "task";
}

/** The same task with other options; other datasets stay as they are. */
export function withTask(problems: Problems, options: Readonly<Record<string, unknown>>): Problems {
  if (!isTask(problems)) return problems;
  return { ...problems, task: { ...problems.task, ...options } as typeof problems.task };
}

/** The same task with its solutions in the hierarchical template; refused by other datasets. */
export function withTemplate(problems: Problems): Problems {
  return datasetSchema.parse({ ...problems, template: {} });
}

/** The same problems with a mark before every prompt; refused by datasets that have no prompts. */
export function withPrefix(problems: Problems, prefix: string): Problems {
  return { ...problems, prefix } as Problems;
}
