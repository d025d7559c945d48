import { z } from "zod";
import {
  applyOverrides,
  datasetSchemaWith,
  type OwnComponents,
  parseConfig,
  type Stage,
  tokenizerSchema,
} from "../../../config/index.js";
import type { MethodDefinition } from "../../../methods/index.js";
import { loadOwnComponents } from "../../modules/own-components.js";

const files = z
  .union([z.string().transform((path) => [path]), z.array(z.string())])
  .default([])
  .describe("Modules that export them.");
const commonSchema = z.strictObject({
  tasks: files,
  verifiers: files,
  tokenizer: tokenizerSchema.optional().describe("What all models of the method read."),
});

/** What a user says of all stages of a method: tasks and verifiers of their own, and a tokenizer. */
export interface OwnData {
  /** Fields of every config. */
  readonly common: Partial<z.output<typeof commonSchema>>;
  readonly components: Pick<OwnComponents, "tasks" | "verifiers">;
}

/** Whether a word of `pupil ablate` is about that: `tasks=./mine.ts`, `tokenizer.type=byte`. */
export function namesOwnData(word: string): boolean {
  return /^(tasks|verifiers|tokenizer)[.=]/.test(word);
}

export async function loadOwnData(words: readonly string[], source: string): Promise<OwnData> {
  const { tokenizer, ...lists } = parseConfig(commonSchema, applyOverrides({}, words), source);
  const components = await loadOwnComponents(lists, source);
  const hasOwn = components.tasks.length + components.verifiers.length > 0;
  return { common: { ...(hasOwn && lists), ...(tokenizer && { tokenizer }) }, components };
}

/** The method with settings whose problems can be of these too, and stages that say so. */
export function withOwnData(
  method: MethodDefinition,
  { common, components }: OwnData,
): MethodDefinition {
  if (Object.keys(common).length === 0) return method;
  const { problems: field } = method.settings.shape as Record<string, z.ZodType | undefined>;
  const dataset = datasetSchemaWith(components);
  const problems = field?.safeParse(undefined).data;
  const withCommon = <T extends object>(config: T) => ({ ...config, ...common });
  return {
    ...method,
    settings:
      field === undefined
        ? method.settings
        : method.settings.safeExtend({
            problems: (problems === undefined
              ? dataset
              : dataset.prefault(problems as z.input<typeof dataset>)
            ).describe(field.description ?? ""),
          }),
    arms: (settings) =>
      Object.fromEntries(
        Object.entries(method.arms(settings)).map(([arm, stages]) => [
          arm,
          stages.map(
            (stage): Stage => ({
              ...stage,
              ...(stage.run && { run: withCommon(stage.run) }),
              ...(stage.collect && { collect: withCommon(stage.collect) }),
            }),
          ),
        ]),
      ),
  };
}
