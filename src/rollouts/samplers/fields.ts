import { z } from "zod";

/** Options that several samplers have. */
export const byField = (fallback: "student" | "teacher") =>
  z.enum(["student", "teacher"]).default(fallback).describe("Which model writes.");

export const samplesField = (fallback: number) =>
  z.int().min(1).default(fallback).describe("Completions of each problem.");

export const stylesField = z
  .array(z.union([z.string(), z.record(z.string(), z.unknown())]))
  .min(1)
  .optional()
  .describe(
    'Ways in which the task solves problems: names of its styles, or other options of the task, such as {"style": "terse", "errorRate": 0.2}. Default: as the task is configured.',
  );

export type Style = NonNullable<z.output<typeof stylesField>>[number];
