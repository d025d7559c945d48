import { z } from "zod";
import {
  fileDatasetSchema,
  hubDatasetSchema,
  jsonlDatasetSchema,
  pairsDatasetSchema,
  prontoqaDatasetSchema,
  rerankDatasetSchema,
  taskConfigSchemaWith,
  taskDatasetSchema,
  textDatasetSchema,
  verifierSchemaWith,
} from "../data/index.js";
import { noOwnComponents, type OwnComponents } from "./own-components.js";

export const datasetSchema = z.discriminatedUnion("type", [
  textDatasetSchema,
  fileDatasetSchema,
  jsonlDatasetSchema,
  hubDatasetSchema,
  pairsDatasetSchema,
  rerankDatasetSchema,
  prontoqaDatasetSchema,
  taskDatasetSchema,
]);

export type Dataset = z.output<typeof datasetSchema>;

/** The same where tasks and verifiers of the user's own can be named too; typed as the built-in one. */
export function datasetSchemaWith(
  own: Pick<OwnComponents, "tasks" | "verifiers"> = noOwnComponents,
): typeof datasetSchema {
  if (own.tasks.length + own.verifiers.length === 0) return datasetSchema;
  const { verifier: field } = jsonlDatasetSchema.shape;
  const verifier = verifierSchemaWith(own.verifiers)
    .optional()
    .describe(field.description ?? "");
  const task = taskConfigSchemaWith(own.tasks).describe(
    taskDatasetSchema.shape.task.description ?? "",
  );
  return z.discriminatedUnion("type", [
    textDatasetSchema,
    fileDatasetSchema.extend({ verifier }),
    jsonlDatasetSchema.extend({ verifier }),
    hubDatasetSchema.extend({ verifier }),
    pairsDatasetSchema,
    rerankDatasetSchema,
    prontoqaDatasetSchema,
    taskDatasetSchema.extend({ task }),
  ]);
}

/** A dataset, or several by name. */
export type EvaluationData = Dataset | Readonly<Record<string, Dataset>>;

/** The field `data` of an evaluation. */
export function evaluationDataSchema(dataset: typeof datasetSchema) {
  const name = z.string().regex(/^\w[\w-]*$/, "use letters, digits, dashes and underscores");
  return z
    .union([dataset, z.record(name, dataset)])
    .optional()
    .describe(
      'Data to evaluate on in place of `data`: a dataset, or several by name, {"short": {…}, "long": {…}}, whose measures are then called short.heldOut.accuracy and so on. Of files it is the part that they keep for validation.',
    );
}

/** The datasets of an evaluation by the name that its measures begin with, empty for a single one. */
export function namedDatasets(data: EvaluationData | undefined): [name: string, Dataset][] {
  if (data === undefined) return [];
  return isDataset(data) ? [["", data]] : Object.entries(data);
}

function isDataset(data: EvaluationData): data is Dataset {
  return typeof data["type"] === "string";
}
