import { join } from "node:path";
import { characterTokenizer } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { saveModelFolder } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";

/** Every character of the addition task. */
export const additionAlphabet = "0123456789+=,:~";

/** Saves an untrained model with the tokenizer of the addition task; as good a teacher as any. */
export async function saveTinyTeacher(
  folder: string,
  { seed = 9, alphabet = additionAlphabet, name = "teacher" } = {},
): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet });
  const config = modelConfigSchema.parse({
    family: "llama",
    vocabSize: tokenizer.vocabSize,
    hiddenSize: 8,
    numLayers: 1,
    numHeads: 2,
    maxPositions: 32,
    initializerRange: 0.3,
  });
  const model = initializeDecoder(config, new Random(seed));
  await saveModelFolder(join(folder, name), model, tokenizer);
  model.dispose();
  return join(folder, name);
}
