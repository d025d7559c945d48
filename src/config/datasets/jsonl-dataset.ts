import {
  type JsonlDataset,
  parseJsonl,
  shuffledIndices,
  splitRows,
  type TokenizedExamples,
  tokenizeExamples,
  type TokenSequence,
} from "../../data/index.js";
import type { EvaluationSet } from "../../trainers/index.js";
import {
  type DatasetKind,
  fileContent,
  type Files,
  longest,
  type PrepareContext,
  type PreparedData,
  promptOfRow,
  withCommas,
} from "./dataset-kind.js";

/** Rows with prompt and completion, in a new random order every epoch. */
export const jsonlDataset: DatasetKind<JsonlDataset> = {
  hasEnds: true,
  characters(dataset, files) {
    const { train, validation } = parts(dataset, files);
    return [...train, ...validation].map((row) => row.prompt + row.completion).join("");
  },
  prepare,
};

function parts(dataset: JsonlDataset, files: Files) {
  const { path, validationPath, validationFraction, fields, separator } = dataset;
  const parse = (file: string) => parseJsonl(fileContent(files, file), file, { fields, separator });
  return validationPath === undefined
    ? splitRows(parse(path), validationFraction)
    : { train: parse(path), validation: parse(validationPath) };
}

function prepare(dataset: JsonlDataset, context: PrepareContext): PreparedData {
  const { tokenizer, files, evaluationRows, random, maxPositions } = context;
  // A row's inputs are its ids but the last.
  const modelLimit = maxPositions === undefined ? undefined : maxPositions + 1;
  const options = { maxLength: dataset.maxLength ?? modelLimit, longRows: dataset.longRows };
  const examples = parts(dataset, files);
  const train = tokenizeExamples(tokenizer, examples.train, options);
  const validation = tokenizeExamples(tokenizer, examples.validation, options);
  const size = train.sequences.length;
  const rows = validation.sequences.slice(0, evaluationRows);
  const answers = validation.indices
    .slice(0, evaluationRows)
    .map((index) => examples.validation[index]?.answer);
  const checkable = answers.every((answer) => answer !== undefined);
  const set: EvaluationSet = { name: "heldOut", rows, prompts: rows.map(promptOfRow) };
  const verify = (index: number, ids: readonly number[]) =>
    endsWithAnswer(tokenizer.decode(ids), answers[index] as string);
  const all = [...train.sequences, ...validation.sequences];
  return {
    training: {
      size,
      rows: (step, count) =>
        shuffledIndices(random, size, step * count, count).map(
          (index) => train.sequences[index] as TokenSequence,
        ),
      promptOf: promptOfRow,
    },
    evaluation: [checkable ? { ...set, verify } : set],
    maxNewTokens: longest(all, ({ ids, completionStart }) => ids.length - completionStart),
    positions: longest(all, ({ ids }) => ids.length - 1),
    notes: [
      `${dataset.path}, training: ${describeReport(train)}`,
      `${dataset.validationPath ?? dataset.path}, validation: ${describeReport(validation)}`,
    ],
  };
}

/** Whether a completion, without white space around it, ends in the answer. */
function endsWithAnswer(completion: string, answer: string): boolean {
  return completion.trim().endsWith(answer.trim());
}

function describeReport({ report }: TokenizedExamples): string {
  const { rows, kept, truncated, dropped, tokens, completionTokens, tokensCutOff } = report;
  return (
    `${withCommas(rows)} rows, ${withCommas(kept)} kept with ${withCommas(tokens)} tokens ` +
    `(${withCommas(completionTokens)} learned), ${withCommas(truncated)} truncated ` +
    `(${withCommas(tokensCutOff)} tokens cut off), ${withCommas(dropped)} dropped.`
  );
}
