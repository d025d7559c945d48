import {
  fileSource,
  type Problem,
  type ProblemSource,
  type ProntoqaDataset,
  readProntoqa,
  shuffledIndices,
  splitRows,
  taskConfigSchema,
  taskSource,
  tokenizeExample,
  type Tokenizer,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { EvaluationSet } from "../../trainers/index.js";
import {
  type DataAccess,
  type DatasetKind,
  distinctCharacters,
  type PrepareContext,
  type PreparedData,
  promptOfRow,
  roomForAnswers,
  trainingProblems,
  withCommas,
} from "./dataset-kind.js";

/** The problems of PrOntoQA's files, which the task `prontoqa` judges, step by step too, and solves. */
export const prontoqaDataset: DatasetKind<ProntoqaDataset> = {
  hasEnds: true,
  async characters(dataset, files) {
    const { train, heldOut } = await read(dataset, files);
    // Other styles of the same proofs have no other characters.
    const texts = [...train, ...heldOut].map(({ prompt, completion = "" }) => prompt + completion);
    return distinctCharacters(texts);
  },
  async prepare(dataset, context) {
    return prepare(dataset, await read(dataset, context.files), context);
  },
};

interface Parts {
  readonly train: readonly Problem[];
  readonly heldOut: readonly Problem[];
}

async function read(dataset: ProntoqaDataset, files: DataAccess): Promise<Parts> {
  const { path, validationPath, validationFraction, prefix } = dataset;
  const problemsOf = async (name: string): Promise<Problem[]> => {
    const problems = readProntoqa(await jsonOf(name, files), name);
    return problems.map((problem) => ({ ...problem, prompt: prefix + problem.prompt }));
  };
  const paths = typeof path === "string" ? [path] : path;
  const all = (await Promise.all(paths.map(problemsOf))).flat();
  if (validationPath !== undefined) {
    return { train: all, heldOut: await problemsOf(validationPath) };
  }
  const cut = splitRows(all.length, validationFraction, paths.join(", "));
  return { train: all.slice(0, cut), heldOut: all.slice(cut) };
}

async function jsonOf(path: string, files: DataAccess): Promise<unknown> {
  const file = await files.open(path);
  const text = new TextDecoder().decode(await file.slice(0));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PupilError(`it is no JSON: ${(cause as Error).message}.`, {
      field: path,
      remedy: "Copy or download it again.",
      cause,
    });
  }
}

/** The task that judges, checks, solves and continues the problems of such files. */
export function prontoqaJudge(): ProblemSource {
  return taskSource(taskConfigSchema.parse({ type: "prontoqa" }));
}

function sourceOf(name: string, parts: Parts): ProblemSource {
  const task = prontoqaJudge();
  const { name: _name, alphabet: _alphabet, size: _size, problem: _problem, ...abilities } = task;
  const rows = fileSource({ name, ...parts }, () => ({ correct: false, answer: undefined }));
  return { ...rows, ...abilities };
}

function prepare(dataset: ProntoqaDataset, parts: Parts, context: PrepareContext): PreparedData {
  const { tokenizer, evaluationRows, random, maxPositions } = context;
  const { train, heldOut } = parts;
  const name = typeof dataset.path === "string" ? dataset.path : dataset.path.join(", ");
  const source = sourceOf(name, parts);
  const rows = train.map((problem) => rowOf(problem, tokenizer));
  const asked = heldOut.slice(0, evaluationRows);
  const evaluated = asked.map((problem) => rowOf(problem, tokenizer));
  const all = [...rows, ...evaluated];
  requireRoom(all, maxPositions);
  const set: EvaluationSet = {
    ...{ name: "heldOut", rows: evaluated, prompts: evaluated.map(promptOfRow) },
    asked: { source, problems: asked },
    ...(dataset.budget === undefined ? {} : { budget: dataset.budget }),
    verify: (index, ids) => source.verify(asked[index] as Problem, tokenizer.decode(ids)).correct,
  };
  return {
    training: {
      size: rows.length,
      rows: (step, count) =>
        shuffledIndices(random, rows.length, step * count, count).map(
          (i) => rows[i] as (typeof rows)[number],
        ),
      promptOf: promptOfRow,
    },
    problems: trainingProblems(source, random),
    evaluation: [set],
    ...roomForAnswers(all),
    notes: [
      `${name}: ${withCommas(train.length)} problems to train on, ${withCommas(heldOut.length)} to validate on.`,
    ],
    lengths: () => rows.map(({ ids }) => ids.length),
  };
}

function rowOf({ id, prompt, completion = "" }: Problem, tokenizer: Tokenizer) {
  return { ...tokenizeExample(tokenizer, { prompt, completion }), id };
}

/** A proof that is cut off would be learned as if it ended there. */
function requireRoom(
  rows: readonly { readonly id: string; readonly ids: readonly number[] }[],
  maxPositions: number | undefined,
): void {
  const long = rows.find(({ ids }) => ids.length - 1 > (maxPositions ?? Infinity));
  if (long === undefined) return;
  throw new PupilError(
    `It has ${long.ids.length} tokens; the model has room for ${(maxPositions ?? 0) + 1}.`,
    {
      field: long.id,
      remedy: "Use a model with a longer context (student.architecture.maxPositions).",
    },
  );
}
