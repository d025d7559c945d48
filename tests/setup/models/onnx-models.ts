import { join } from "node:path";
import { AutoModelForCausalLM, Tensor } from "@xenova/transformers";
import { onTestFinished } from "vitest";
import { characterTokenizer, encodePrompt, type Tokenizer } from "../../../src/data/index.js";
import {
  initializeDecoder,
  type ModelConfig,
  modelConfigSchema,
} from "../../../src/models/index.js";
import {
  exportModel,
  type LoadedModel,
  loadModelFolder,
  saveModelFolder,
} from "../../../src/node/index.js";
import { sampleRollouts } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";

/** Architectures whose exports are tried end to end; the sizes are a student's, only smaller. */
export const exportedArchitectures = {
  llama: { family: "llama", numKeyValueHeads: 2, ropeTheta: 500 },
  qwen3: { family: "qwen3", headDim: 6, tieWordEmbeddings: true },
  gpt2: { family: "gpt2" },
} as const;

export function exportedConfig(architecture: object, tokenizer: Tokenizer): ModelConfig {
  return modelConfigSchema.parse({
    vocabSize: tokenizer.vocabSize,
    ...{ hiddenSize: 16, numLayers: 2, numHeads: 4, maxPositions: 32 },
    // Far from initialisation, so that every token and position shows in the logits.
    initializerRange: 0.4,
    eosTokenIds: [...tokenizer.endIds],
    padTokenId: tokenizer.padId,
    ...architecture,
  });
}

export const digits = () => characterTokenizer({ alphabet: "0123456789+=,:~" });

/** Saves a random model as a model folder and as an export: `<folder>/model`, `<folder>/onnx`. */
export async function saveBoth(
  folder: string,
  architecture: object = exportedArchitectures.llama,
  dtype: "float32" | "float16" = "float32",
): Promise<{ model: string; onnx: string }> {
  const tokenizer = digits();
  const config = exportedConfig(architecture, tokenizer);
  const paths = { model: join(folder, "model"), onnx: join(folder, "onnx-export") };
  using model = initializeDecoder(config, new Random(5));
  await saveModelFolder(paths.model, model, tokenizer);
  await exportModel(paths.onnx, { model, tokenizer }, { format: "onnx", dtype });
  return paths;
}

/** A model folder in this process. */
export async function loadDisposable(folder: string): Promise<LoadedModel & Disposable> {
  const loaded = await loadModelFolder(folder);
  return { ...loaded, [Symbol.dispose]: () => loaded.model.dispose() };
}

/** What our sampler writes greedily: prompts with their completions, as text. */
export async function greedyText(
  { model, tokenizer }: LoadedModel,
  prompts: readonly string[],
  maxNewTokens: number,
): Promise<string[]> {
  const rollouts = await sampleRollouts({
    model,
    prompts: prompts.map((prompt) => encodePrompt(tokenizer, prompt)),
    endIds: tokenizer.endIds,
    padId: tokenizer.padId,
    maxNewTokens,
    policy: { greedy: true, samplingTemperature: 1, topK: 0, topP: 1 },
    random: new Random(1),
  });
  return rollouts.map(({ completionIds }, i) => `${prompts[i]}${tokenizer.decode(completionIds)}`);
}

/** An export in transformers.js, until the running test has finished. */
export async function hubModel(folder: string) {
  const model = await AutoModelForCausalLM.from_pretrained(folder, { local_files_only: true });
  onTestFinished(async () => {
    await model.dispose();
  });
  return model;
}

export function int64(rows: readonly (readonly number[])[]): Tensor {
  const values = BigInt64Array.from(rows.flat(), (value) => BigInt(value));
  return new Tensor("int64", values, [rows.length, rows[0]?.length ?? 0]);
}
