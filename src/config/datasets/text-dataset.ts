import {
  packText,
  readTextPart,
  splitText,
  storeText,
  type TextDataset,
  type TextPart,
  TokenStore,
  type TokenSequence,
} from "../../data/index.js";
import {
  type DataAccess,
  type DatasetKind,
  distinctCharacters,
  type PrepareContext,
  type PreparedData,
  withCommas,
} from "./dataset-kind.js";

/** Plain text: random windows to train on, consecutive ones of the validation text to evaluate. */
export const textDataset: DatasetKind<TextDataset> = {
  hasEnds: false,
  async characters(dataset, files) {
    const { train, validation } = await parts(dataset, files);
    return distinctCharacters(
      (async function* () {
        yield* readTextPart(train);
        yield* readTextPart(validation);
      })(),
    );
  },
  prepare,
};

async function parts(dataset: TextDataset, files: DataAccess) {
  const { path, validationPath, validationFraction } = dataset;
  const file = await files.open(path);
  if (validationPath === undefined) return splitText(file, validationFraction);
  return { train: { file }, validation: { file: await files.open(validationPath) } };
}

async function prepare(dataset: TextDataset, context: PrepareContext): Promise<PreparedData> {
  const { tokenizer, files, evaluationRows, random } = context;
  const { path, sequenceLength, promptLength, memoryLimitBytes } = dataset;
  const stores: TokenStore[] = [];
  const dispose = () => {
    for (const store of stores) store.dispose();
  };
  const pack = async (part: TextPart, name: string) => {
    const createSpillFile = files.createSpillFile?.bind(files);
    const bytesPerWord = tokenizer.vocabSize <= 0x1_0000 ? 2 : 4;
    const store = new TokenStore({ bytesPerWord, memoryLimitBytes, createSpillFile });
    stores.push(store);
    await storeText(part, tokenizer, store);
    return packText(store, sequenceLength, name);
  };
  try {
    const { train: trainText, validation: validationText } = await parts(dataset, files);
    const train = await pack(trainText, `The training text of ${path}`);
    const validation = await pack(validationText, `The validation text of ${path}`);
    const promptOf = ({ ids }: TokenSequence) => ids.slice(0, promptLength);
    const rows = await validation.sequentialWindows(evaluationRows);
    return {
      training: {
        rows: (step, count) => train.randomWindows(random, step, count),
        promptOf,
      },
      evaluation: [{ name: "heldOut", rows, prompts: rows.map(promptOf) }],
      maxNewTokens: sequenceLength + 1 - promptLength,
      longestPrompt: promptLength,
      positions: sequenceLength,
      notes: [
        `${path}: ${withCommas(train.numTokens)} tokens to train on, ` +
          `${withCommas(validation.numTokens)} to validate on (${rows.length} rows of ${sequenceLength}).`,
      ],
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
