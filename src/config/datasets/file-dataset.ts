import {
  type DataFile,
  type FileDataset,
  type HubDataset,
  type JsonlDataset,
  splitFiles,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { DataAccess } from "./dataset-kind.js";
import { rowsDataset } from "./rows-dataset.js";

/** Rows of files, or of a Hugging Face dataset folder. */
export const fileDataset = rowsDataset<FileDataset>(async (dataset, files) => {
  const { path, split, validationPath, validationSplit, format, rowsField, columns, delimiter } =
    dataset;
  const paths = typeof path === "string" ? [path] : path;
  const options = { format, rowsField, columns, delimiter };
  const train = await openAll(files, paths, split, dataset);
  const validation =
    validationPath !== undefined
      ? await openAll(files, [validationPath], validationSplit ?? "validation", dataset)
      : validationSplit !== undefined
        ? await openFolder(files, paths, validationSplit, dataset)
        : undefined;
  return {
    train,
    validation,
    source: paths.join(", "),
    validationSource: validationPath ?? `${paths.join(", ")} (${validationSplit})`,
    reading: options,
  };
});

/** The same for one JSONL file. */
export const jsonlDataset = rowsDataset<JsonlDataset>(async (dataset, files) => {
  const { path, validationPath } = dataset;
  return {
    train: [await files.open(path)],
    validation: validationPath === undefined ? undefined : [await files.open(validationPath)],
    source: path,
    ...(validationPath === undefined ? {} : { validationSource: validationPath }),
    reading: { format: "jsonl" },
  };
});

/** Rows of a dataset on the Hugging Face Hub. */
export const hubDataset = rowsDataset<HubDataset>(async (dataset, files) => {
  const { dataset: name, revision, subset, split, validationSplit, format } = dataset;
  const download = (wanted: string): Promise<readonly DataFile[]> => {
    if (files.download === undefined) {
      throw new PupilError("Datasets of the Hub cannot be downloaded here.", {
        field: "data.type",
        remedy: 'Download the files and use type "file".',
      });
    }
    const choose = (paths: readonly string[]) =>
      splitFiles(inFolder(paths, subset), { split: wanted, format, source: name });
    return files.download({ dataset: name, revision, choose });
  };
  const { rowsField, columns, delimiter } = dataset;
  return {
    train: await download(split),
    validation: validationSplit === undefined ? undefined : await download(validationSplit),
    source: `${name} (${split})`,
    ...(validationSplit === undefined ? {} : { validationSource: `${name} (${validationSplit})` }),
    reading: { format, rowsField, columns, delimiter },
  };
});

async function openAll(
  files: DataAccess,
  paths: readonly string[],
  split: string,
  { format }: Pick<FileDataset, "format">,
): Promise<DataFile[]> {
  const opened = paths.map(async (path) => {
    const listed = await files.list?.(path);
    if (listed === undefined) return [await files.open(path)];
    const chosen = splitFiles(listed, { split, format, source: path });
    return Promise.all(chosen.map((file) => files.open(`${path.replace(/\/$/, "")}/${file}`)));
  });
  return (await Promise.all(opened)).flat();
}

/** A split that was asked for by name must come from a folder. */
async function openFolder(
  files: DataAccess,
  paths: readonly string[],
  split: string,
  options: Pick<FileDataset, "format">,
): Promise<DataFile[]> {
  for (const path of paths) {
    if ((await files.list?.(path)) !== undefined) continue;
    throw new PupilError(`${path} is a file and has no splits.`, {
      field: "data.validationSplit",
      value: split,
      remedy: "Give the dataset's folder as path, or a validationPath.",
    });
  }
  return openAll(files, paths, split, options);
}

function inFolder(paths: readonly string[], subset: string | undefined): string[] {
  if (subset === undefined) return [...paths];
  return paths.filter((path) => path.startsWith(`${subset.replace(/\/$/, "")}/`));
}
