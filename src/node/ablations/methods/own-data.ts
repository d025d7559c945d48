import { z } from "zod";
import {
  applyOverrides,
  datasetSchemaWith,
  type OwnComponents,
  parseConfig,
  type Stage,
} from "../../../config/index.js";
import type { MethodDefinition } from "../../../methods/index.js";
import { loadOwnComponents } from "../../modules/own-components.js";

const files = z
  .union([z.string().transform((path) => [path]), z.array(z.string())])
  .default([])
  .describe("Modules that export them.");
const listsSchema = z.strictObject({ tasks: files, verifiers: files });

/** Tasks and verifiers of the user's own that problems of a method are made of. */
export interface OwnData {
  /** As a config lists them. */
  readonly lists: z.output<typeof listsSchema>;
  readonly components: Pick<OwnComponents, "tasks" | "verifiers">;
}

/** Whether a word of `pupil ablate` names such modules: `tasks=./mine.ts`. */
export function namesOwnData(word: string): boolean {
  return /^(tasks|verifiers)[.=]/.test(word);
}

export async function loadOwnData(words: readonly string[], source: string): Promise<OwnData> {
  const lists = parseConfig(listsSchema, applyOverrides({}, words), source);
  return { lists, components: await loadOwnComponents(lists, source) };
}

/** The method with settings whose problems can be of these too, and stages that list their modules. */
export function withOwnData(
  method: MethodDefinition,
  { lists, components }: OwnData,
): MethodDefinition {
  if (components.tasks.length + components.verifiers.length === 0) return method;
  const { problems: field } = method.settings.shape as Record<string, z.ZodType | undefined>;
  const dataset = datasetSchemaWith(components);
  const problems = field?.safeParse(undefined).data;
  const listed = <T extends object>(config: T) => ({ ...config, ...lists });
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
              ...(stage.run && { run: listed(stage.run) }),
              ...(stage.collect && { collect: listed(stage.collect) }),
            }),
          ),
        ]),
      ),
  };
}
