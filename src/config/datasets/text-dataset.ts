import {
  packText,
  readText,
  splitText,
  type TextDataset,
  type TokenSequence,
} from "../../data/index.js";
import {
  type DatasetKind,
  fileContent,
  type Files,
  type PrepareContext,
  type PreparedData,
  withCommas,
} from "./dataset-kind.js";

/** Plain text: random windows to train on, consecutive ones of the validation text to evaluate. */
export const textDataset: DatasetKind<TextDataset> = {
  hasEnds: false,
  characters(dataset, files) {
    const { train, validation } = parts(dataset, files);
    return train + validation;
  },
  prepare,
};

function parts(dataset: TextDataset, files: Files) {
  const { path, validationPath, validationFraction } = dataset;
  const read = (file: string) => readText(fileContent(files, file), file);
  return validationPath === undefined
    ? splitText(read(path), validationFraction)
    : { train: read(path), validation: read(validationPath) };
}

function prepare(dataset: TextDataset, context: PrepareContext): PreparedData {
  const { tokenizer, files, evaluationRows, random } = context;
  const { sequenceLength, promptLength } = dataset;
  const { train: trainText, validation: validationText } = parts(dataset, files);
  const pack = (text: string, name: string) =>
    packText(tokenizer.encode(text), sequenceLength, name);
  const train = pack(trainText, `The training text of ${dataset.path}`);
  const validation = pack(validationText, `The validation text of ${dataset.path}`);
  const promptOf = ({ ids }: TokenSequence) => ids.slice(0, promptLength);
  const rows = validation.sequentialWindows(evaluationRows);
  return {
    training: {
      rows: (step, count) => train.randomWindows(random, step, count),
      promptOf,
    },
    evaluation: [{ name: "heldOut", rows, prompts: rows.map(promptOf) }],
    maxNewTokens: sequenceLength + 1 - promptLength,
    positions: sequenceLength,
    notes: [
      `${dataset.path}: ${withCommas(train.numTokens)} tokens to train on, ` +
        `${withCommas(validation.numTokens)} to validate on (${rows.length} rows of ${sequenceLength}).`,
    ],
  };
}
