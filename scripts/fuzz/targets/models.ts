/** Model folders: configs, weights, shards, adapters. Read from disk, as users' are. */
import * as tf from "@tensorflow/tfjs-core";
import { characterTokenizer } from "../../../src/data/index.js";
import {
  adapterToTensors,
  addAdapter,
  encodeSafetensors,
  initializeDecoder,
  modelConfigSchema,
  decodeSafetensors,
  decoderToTensors,
  toHuggingFaceConfig,
  toPeftConfig,
} from "../../../src/models/index.js";
import { loadModelFolder } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { bytesOf, type FuzzTarget, type Input } from "../target.js";
import { inFolder } from "./folder.js";

const tokenizer = characterTokenizer({ alphabet: "0123456789" });
const own = {
  "tokenizer.json": bytesOf(tokenizer.toJson()),
  "tokenizer_config.json": bytesOf(tokenizer.toConfigJson()),
};

/** The files of a tiny model; with an adapter in the folder below. */
async function folders() {
  await tf.setBackend("cpu");
  const configOf = (family: string, rest: object) =>
    modelConfigSchema.parse({
      family,
      vocabSize: tokenizer.vocabSize,
      hiddenSize: 4,
      numLayers: 2,
      numHeads: 2,
      maxPositions: 16,
      ...rest,
    });
  const scaling = {
    type: "llama3",
    factor: 2,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalMaxPositions: 8,
  };
  const configs = [
    configOf("llama", { ropeScaling: scaling }),
    configOf("gpt2", {}),
    configOf("mistral", { slidingWindow: 4 }),
    configOf("qwen2", {
      slidingWindow: 3,
      layerTypes: ["full_attention", "sliding_attention"],
    }),
  ];
  const models: Record<string, Uint8Array>[] = [];
  const adapters: Record<string, Uint8Array>[] = [];
  for (const config of configs) {
    const model = initializeDecoder(config, new Random(1));
    const files = {
      "config.json": bytesOf(toHuggingFaceConfig(config)),
      "model.safetensors": encodeSafetensors(await decoderToTensors(model), { dtype: "float16" }),
    };
    models.push(files);
    const adapter = addAdapter(model, "a", {
      rank: 2,
      alpha: 4,
      targets: "all-linear",
      rankStabilized: false,
      initialization: "kaiming",
      baseModel: "base",
      random: new Random(2),
    });
    adapters.push({
      "base/config.json": files["config.json"],
      "base/model.safetensors": files["model.safetensors"],
      "adapter_config.json": bytesOf(
        toPeftConfig(adapter.settings, config.family === "gpt2" ? "in-out" : "out-in"),
      ),
      "adapter_model.safetensors": encodeSafetensors(await adapterToTensors(adapter), {
        dtype: "float32",
      }),
    });
    model.dispose();
  }
  return { models, adapters };
}

/** The same weights in two files with an index. */
function sharded(files: Record<string, Uint8Array>): Input {
  const { "model.safetensors": weights, ...others } = files;
  const tensors = [...decodeSafetensors(weights as Uint8Array, "seed")];
  const halves = [tensors.slice(0, 3), tensors.slice(3)];
  const names = halves.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
  const map = halves.flatMap((half, i) => half.map(([name]) => [name, names[i]]));
  return {
    ...others,
    "model.safetensors.index.json": bytesOf({
      metadata: {},
      weight_map: Object.fromEntries(map) as object,
    }),
    ...Object.fromEntries(
      halves.map((half, i) => [names[i], encodeSafetensors(new Map(half), { dtype: "float16" })]),
    ),
  };
}

/** Loads a folder, runs nothing, releases it. */
function load(input: Input, fixed: Input): Promise<unknown> {
  return inFolder({ ...fixed, ...input }, async (folder) => {
    const { model, unknownKeys } = await loadModelFolder(folder);
    try {
      return { config: model.config, parameters: model.numParameters, unknownKeys };
    } finally {
      model.dispose();
    }
  });
}

/** A target in which some files are mutated and the others stay. */
function modelTarget(
  name: string,
  shapes: FuzzTarget["shapes"],
  all: () => Promise<readonly Input[]>,
): FuzzTarget {
  const fixed = new Map<string, Input>();
  return {
    name,
    shapes,
    seeds: async () => {
      const seeds = (await all()).map((input, i): Input => {
        const entries = Object.entries(input);
        const isMutated = ([file]: [string, Uint8Array]) => file in shapes;
        fixed.set(String(i), Object.fromEntries(entries.filter((entry) => !isMutated(entry))));
        return { ...Object.fromEntries(entries.filter(isMutated)), seed: bytesOf(String(i)) };
      });
      return seeds;
    },
    read: ({ seed, ...files }) =>
      load(files, { ...own, ...fixed.get(new TextDecoder().decode(seed)) }),
    allowsUndefined: true,
  };
}

export const modelTargets: readonly FuzzTarget[] = [
  modelTarget("model-config", { "config.json": ["json"] }, async () => (await folders()).models),
  modelTarget("generation-config", { "generation_config.json": ["json"] }, async () =>
    (await folders()).models.map((files) => ({
      ...files,
      "generation_config.json": bytesOf({ eos_token_id: [1, 2], do_sample: true }),
    })),
  ),
  modelTarget(
    "weights",
    { "model.safetensors": ["safetensors"] },
    async () => (await folders()).models,
  ),
  modelTarget("shard-index", { "model.safetensors.index.json": ["json"] }, async () =>
    (await folders()).models.map(sharded),
  ),
  modelTarget(
    "adapter-config",
    { "adapter_config.json": ["json"] },
    async () => (await folders()).adapters,
  ),
  modelTarget(
    "adapter-weights",
    { "adapter_model.safetensors": ["safetensors"] },
    async () => (await folders()).adapters,
  ),
];
