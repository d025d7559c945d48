import { z } from "zod";
import type { Stage, StageRun } from "../../config/index.js";
import { verifierSchema } from "../../data/index.js";
import type { BaseSettings } from "./settings.js";
import { collectStage, sftStage, type SftStageOptions } from "./stages.js";

type FileData = Extract<StageRun["data"], { type: "file" }>;

/** What becomes of traces that are wrong. */
export const keepField = z
  .enum(["correct", "any"])
  .default("correct")
  .describe("Traces that are learned from: those with a right answer, or any.");

/** A setting: how many problems something is done with, at least 1. */
export const countField = (fallback: number, of: string) =>
  z.int().min(1).default(fallback).describe(`Problems that ${of}.`);

/** A setting: a share between 0 and 1. */
export const shareField = (fallback: number, text: string) =>
  z.number().min(0).max(1).default(fallback).describe(text);

/** A setting: styles of worked solutions, as the task names them. */
export const stylesField = (fallback: string[], text: string) =>
  z.array(z.string()).min(1).default(fallback).describe(text);

export const verifierField = verifierSchema
  .prefault({ type: "last-number" })
  .describe("Judges students on rows that an earlier stage collected, by the rows' answers.");

/** A stage that collects from the problems of the settings. */
export function tracesStage(
  name: string,
  { problems }: BaseSettings,
  config: Readonly<Record<string, unknown>>,
): Stage {
  return collectStage(name, { problems, ...config });
}

/** Solutions by rule, in styles of the task; `config` is the collect's, beside its sampler. */
export function solvedStage(
  name: string,
  settings: BaseSettings,
  styles: readonly string[],
  config: Readonly<Record<string, unknown>>,
): Stage {
  return tracesStage(name, settings, { sampler: { type: "oracle", styles }, ...config });
}

/** The rows that earlier stages collected. */
export function rowsOf(...stages: readonly [string, ...string[]]): FileData {
  const paths = stages.map((stage) => `stage:${stage}`);
  return { type: "file", path: paths.length === 1 ? (paths[0] as string) : paths };
}

/** The prompts of an earlier stage's rows, all of them to evaluate on. */
export function askRowsOf(stage: string, verifier: FileData["verifier"]): FileData {
  return { ...rowsOf(stage), validationPath: `stage:${stage}`, ...(verifier && { verifier }) };
}

/** SFT on the rows of earlier stages, evaluated on the problems. */
export function sftOnRows(
  name: string,
  settings: BaseSettings,
  stages: readonly [string, ...string[]],
  options: Omit<SftStageOptions, "data">,
): Stage {
  return sftStage(name, settings, { ...options, data: rowsOf(...stages) });
}
