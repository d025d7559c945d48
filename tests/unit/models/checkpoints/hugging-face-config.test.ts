import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  modelConfigSchema,
  parseHuggingFaceConfig,
  toHuggingFaceConfig,
} from "../../../../src/models/index.js";
import { tinyConfigs, windowedQwens } from "../tiny-models.js";

const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 40,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  max_position_embeddings: 64,
};
const mistral = { ...llama, model_type: "mistral", num_key_value_heads: 2 };
const qwen3 = { ...llama, model_type: "qwen3", num_key_value_heads: 2, head_dim: 10 };
const windowed = { ...qwen3, use_sliding_window: true, sliding_window: 8, max_window_layers: 1 };
const types = (...kinds: readonly ("full" | "sliding")[]) =>
  kinds.map((kind) => `${kind}_attention`);
const gpt2 = {
  model_type: "gpt2",
  vocab_size: 32,
  n_embd: 16,
  n_layer: 3,
  n_head: 4,
  n_positions: 64,
};

function errorOf(json: unknown): PupilError {
  try {
    parseHuggingFaceConfig(json, "model/config.json");
  } catch (error) {
    if (error instanceof PupilError) return error;
    throw error;
  }
  throw new Error("No error.");
}

test("a Llama file gives its sizes; absent keys have the defaults of transformers", () => {
  const { config, unknownKeys } = parseHuggingFaceConfig(llama, "config.json");
  expect(config).toEqual(
    modelConfigSchema.parse({
      family: "llama",
      vocabSize: 32,
      hiddenSize: 16,
      intermediateSize: 40,
      numLayers: 3,
      numHeads: 4,
      maxPositions: 64,
    }),
  );
  expect(unknownKeys).toEqual([]);
});

test("a GPT-2 file may use either of the names its keys have", () => {
  const aliased = {
    model_type: "gpt2",
    vocab_size: 32,
    hidden_size: 16,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    max_position_embeddings: 64,
    n_inner: null,
  };
  const { config } = parseHuggingFaceConfig(gpt2, "config.json");
  expect(config).toMatchObject({ family: "gpt2", hiddenSize: 16, intermediateSize: 64 });
  expect(parseHuggingFaceConfig(aliased, "config.json").config).toEqual(config);
});

test("rotary theta is read from both places it has been kept in", () => {
  const theta = (extra: object) =>
    parseHuggingFaceConfig({ ...llama, ...extra }, "config.json").config.ropeTheta;
  expect(theta({})).toBe(10_000);
  expect(theta({ rope_theta: 500, rope_scaling: null })).toBe(500);
  expect(theta({ rope_parameters: { rope_type: "default", rope_theta: 700 } })).toBe(700);
});

test("the theta of rope_parameters or rope_scaling comes before the file's own, which is told", () => {
  const read = (extra: object) => {
    const { config, unknownKeys } = parseHuggingFaceConfig({ ...llama, ...extra }, "config.json");
    return [config.ropeTheta, unknownKeys];
  };
  const parameters = { rope_type: "default", rope_theta: 700 };
  expect(read({ rope_theta: 500, rope_parameters: parameters })).toEqual([700, ["rope_theta"]]);
  expect(read({ rope_theta: 700, rope_parameters: parameters })).toEqual([700, []]);
  expect(read({ rope_theta: 500, rope_parameters: { rope_type: "default" } })).toEqual([500, []]);
  const linear = { type: "linear", factor: 2 };
  expect(read({ rope_theta: 500, rope_scaling: { ...linear, rope_theta: 900 } })[0]).toBe(900);
  // Of the two objects transformers takes rope_scaling whole; an empty one is none to it.
  expect(read({ rope_scaling: linear, rope_parameters: parameters })).toEqual([
    10_000,
    ["rope_parameters"],
  ]);
  expect(read({ rope_scaling: {}, rope_parameters: parameters })).toEqual([700, []]);
});

test.each([
  ["num_hidden_layers", 1e7],
  ["num_hidden_layers", 2 ** 31],
  ["hidden_size", 1e9],
  ["vocab_size", 2 ** 40],
  ["num_hidden_layers", 0.5],
])("%s of %d is refused with the number before anything is built", (key, value) => {
  expect(() => parseHuggingFaceConfig({ ...llama, [key]: value }, "config.json")).toThrow(
    new RegExp(`config\\.json: ${key}: is ${value}[,:] expected .*\\.$`),
  );
});

test("a value that is nested too deep to be written down is still told", () => {
  const deep = JSON.parse("[".repeat(20_000) + "]".repeat(20_000)) as unknown;
  for (const key of [
    "model_type",
    "hidden_act",
    "hidden_size",
    "rope_scaling",
    "quantization_config",
  ]) {
    expect(() => parseHuggingFaceConfig({ ...llama, [key]: deep }, "config.json")).toThrow(
      expect.objectContaining({ name: "PupilError" }),
    );
  }
});

test("rotary scaling is read in every spelling, and an original length outside wins", () => {
  const scaling = (extra: object) =>
    parseHuggingFaceConfig({ ...llama, ...extra }, "config.json").config.ropeScaling;
  const linear = { type: "linear", factor: 2 };
  expect(scaling({ rope_scaling: { type: "linear", factor: 2 } })).toEqual(linear);
  expect(scaling({ rope_scaling: { rope_type: "linear", factor: 2 } })).toEqual(linear);
  const parameters = { rope_type: "linear", factor: 2, rope_theta: 500 };
  expect(scaling({ rope_parameters: parameters })).toEqual(linear);
  expect(scaling({ rope_parameters: { rope_theta: 500 }, rope_scaling: null })).toBeNull();
  const yarn = { type: "yarn", factor: 4, attention_factor: null, beta_fast: 16 };
  expect(
    scaling({
      rope_scaling: { ...yarn, original_max_position_embeddings: 8 },
      original_max_position_embeddings: 16,
    }),
  ).toMatchObject({ type: "yarn", originalMaxPositions: 16, betaFast: 16, betaSlow: 1 });
});

test("unknown keys of a rotary scaling are listed with where they stand", () => {
  const rope = { rope_type: "linear", factor: 2, beta: 1, mrope_section: [1, 2] };
  const { unknownKeys } = parseHuggingFaceConfig({ ...llama, rope_scaling: rope }, "config.json");
  expect(unknownKeys).toEqual(["rope_scaling.beta", "rope_scaling.mrope_section"]);
});

test("a sliding window that hides nothing is fine", () => {
  const accepted = [
    { ...mistral, sliding_window: null },
    { ...mistral, sliding_window: 64 },
    { ...mistral, sliding_window: 64, layer_types: types("full", "sliding", "full") },
    mistral,
    { ...qwen3, sliding_window: 8, use_sliding_window: false, max_window_layers: 0 },
    { ...qwen3, sliding_window: 64, use_sliding_window: true },
    { ...qwen3, sliding_window: 8, use_sliding_window: true, max_window_layers: 3 },
    { ...qwen3, layer_types: types("full", "full", "full") },
    { ...qwen3, sliding_window: null, use_sliding_window: true, max_window_layers: 0 },
  ];
  for (const json of accepted) {
    expect(parseHuggingFaceConfig(json, "config.json").unknownKeys).toEqual([]);
  }
});

test("the window of a Mistral is read and written, of all layers", () => {
  const layerTypes = types("sliding", "sliding", "sliding");
  const file = { ...mistral, sliding_window: 32, layer_types: layerTypes };
  const { config, unknownKeys } = parseHuggingFaceConfig(file, "config.json");
  expect(unknownKeys).toEqual([]);
  expect(config.layerTypes).toBeNull();
  expect(config.slidingWindow).toBe(32);
  expect(toHuggingFaceConfig(config)).toMatchObject({ sliding_window: 32 });
  expect(toHuggingFaceConfig({ ...config, slidingWindow: null }).sliding_window).toBe(null);
});

describe("the windows of a Qwen", () => {
  const used = { ...qwen3, use_sliding_window: true, sliding_window: 8 };
  const windowsOf = (file: object) => {
    const { config, unknownKeys } = parseHuggingFaceConfig(file, "config.json");
    expect(unknownKeys).toEqual([]);
    return [config.slidingWindow, config.layerTypes];
  };

  test.each([
    ["from max_window_layers on", { max_window_layers: 1 }, types("full", "sliding", "sliding")],
    ["in all layers", { max_window_layers: 0 }, null],
    ["where layer_types says so", { layer_types: types("sliding", "full", "full") }, "given"],
    [
      "by layer_types rather than by max_window_layers",
      { layer_types: types("full", "sliding", "full"), max_window_layers: 0 },
      "given",
    ],
    [
      "by max_window_layers if layer_types is null",
      { layer_types: null, max_window_layers: 0 },
      null,
    ],
  ])("are read %s", (_, keys, expected) => {
    const layerTypes = expected === "given" && "layer_types" in keys ? keys.layer_types : expected;
    expect(windowsOf({ ...used, ...keys })).toEqual([8, layerTypes]);
  });

  test.each([
    ["max_window_layers is 28 where it is absent", {}],
    ["no layer is named", { layer_types: types("full", "full", "full"), max_window_layers: 0 }],
    ["they are not used", { use_sliding_window: false, max_window_layers: 0 }],
    ["there is no width", { sliding_window: null, max_window_layers: 0 }],
  ])("are none where %s", (_, keys) => {
    expect(windowsOf({ ...used, ...keys })).toEqual([null, null]);
  });

  test("are 4096 wide where the width is absent", () => {
    const { sliding_window: _, ...absent } = used;
    const long = { ...absent, max_position_embeddings: 8192, max_window_layers: 0 };
    expect(windowsOf(long)).toEqual([4096, null]);
  });

  test("are written as older and newer readers look for them", () => {
    const mixed = { ...used, layer_types: types("full", "sliding", "full") };
    const all = { ...used, max_window_layers: 0 };
    const written = (file: object) =>
      toHuggingFaceConfig(parseHuggingFaceConfig(file, "config.json").config);
    const keys = { use_sliding_window: true, sliding_window: 8 };
    const layerTypes = mixed.layer_types;
    expect(written(mixed)).toMatchObject({
      ...keys,
      max_window_layers: 1,
      layer_types: layerTypes,
    });
    const everywhere = types("sliding", "sliding", "sliding");
    expect(written(all)).toMatchObject({ ...keys, max_window_layers: 0, layer_types: everywhere });
    const none = written(qwen3);
    expect(none).toMatchObject({ use_sliding_window: false });
    expect(none).not.toHaveProperty("layer_types");
    for (const file of [mixed, all]) expect(windowsOf(written(file))).toEqual(windowsOf(file));
  });
});

test("one end id or several are read and written as they were", () => {
  for (const ids of [null, 2, [2, 7]]) {
    const { config } = parseHuggingFaceConfig({ ...llama, eos_token_id: ids }, "config.json");
    expect(config.eosTokenIds).toEqual(ids === null ? [] : [ids].flat());
    expect(toHuggingFaceConfig(config).eos_token_id).toEqual(ids);
  }
});

test("keys that we do not know are listed, those without bearing are not", () => {
  const extra = { use_cache: true, torch_dtype: "bfloat16", my_flag: 1, attention_multiplier: 2 };
  const { unknownKeys } = parseHuggingFaceConfig({ ...llama, ...extra }, "config.json");
  expect(unknownKeys).toEqual(["my_flag", "attention_multiplier"]);
});

describe("errors name the file, the key, the value and what is allowed", () => {
  test.each([
    [{ ...llama, model_type: "lama" }, "model_type", /"lama" is not.*Did you mean "llama"/],
    [
      { ...llama, model_type: undefined },
      "model_type",
      /missing.*Allowed: llama, mistral, qwen2, qwen3, gpt2/,
    ],
    [{ ...llama, hidden_size: undefined }, "hidden_size", /This key is missing/],
    [
      { ...llama, rope_scaling: { rope_type: ["yarn"], factor: 4 } },
      "rope_scaling.rope_type",
      /\["yarn"\] is not supported\. Allowed: default, linear/,
    ],
    [
      {
        ...llama,
        rope_scaling: {
          factor: 4,
          rope_type: JSON.parse("[".repeat(20_000) + "]".repeat(20_000)) as unknown,
        },
      },
      "rope_scaling.rope_type",
      /is not supported\. Allowed/,
    ],
    [
      { ...llama, rope_scaling: { rope_type: "yarm", factor: 4 } },
      "rope_scaling.rope_type",
      /"yarm" is not supported\. Did you mean "yarn"/,
    ],
    [
      { ...llama, rope_scaling: { factor: 4 } },
      "rope_scaling",
      /"factor":4} has no rope_type.*one of: default, linear/,
    ],
    [{ ...llama, rope_scaling: "yarn" }, "rope_scaling", /"yarn" is not an object/],
    [
      { ...llama, rope_parameters: { rope_type: "linear" } },
      "rope_parameters.factor",
      /: is missing \(expected number\)\.$/,
    ],
    [
      {
        ...llama,
        rope_scaling: {
          rope_type: "llama3",
          factor: 8,
          low_freq_factor: 4,
          high_freq_factor: 1,
        },
      },
      "rope_scaling.high_freq_factor",
      /1 must be above low_freq_factor 4/,
    ],
    [
      { ...llama, rope_parameters: { rope_type: "default", partial_rotary_factor: 0.5 } },
      "rope_parameters.partial_rotary_factor",
      /Only whole heads/,
    ],
    [{ ...mistral, sliding_window: 0 }, "sliding_window", /: is 0: expected at least 1\.$/],
    [
      { ...mistral, max_position_embeddings: 8192 },
      "sliding_window",
      /An absent key is not supported.*absent, it is 4096/,
    ],
    [{ ...mistral, num_key_value_heads: undefined }, "num_key_value_heads", /missing/],
    [
      { ...mistral, sliding_window: 8, layer_types: types("full", "sliding", "full") },
      "layer_types",
      /"full_attention",.* is not supported.*"sliding_attention" in every layer, unless/,
    ],
    [{ ...qwen3, head_dim: undefined }, "head_dim", /missing/],
    [
      { ...qwen3, layer_types: types("full", "sliding", "full") },
      "layer_types",
      /"full_attention" in every layer, as use_sliding_window and sliding_window say/,
    ],
    [
      { ...windowed, sliding_window: null, layer_types: types("full", "sliding", "full") },
      "layer_types",
      /"full_attention" in every layer/,
    ],
    [{ ...qwen3, use_sliding_window: "yes" }, "use_sliding_window", /"yes" is not.*true, false/],
    [{ ...windowed, sliding_window: 0 }, "sliding_window", /: is 0: expected at least 1\.$/],
    [
      { ...windowed, max_window_layers: "1" },
      "max_window_layers",
      /"1" is not supported\. Allowed: a whole number/,
    ],
    [
      { ...windowed, layer_types: types("full", "sliding") },
      "layer_types",
      /2 entries for 3 layers/,
    ],
    [
      { ...windowed, layer_types: ["full_attention", "chunked_attention", "full_attention"] },
      "layer_types.1",
      /: is "chunked_attention"\. .*Allowed: full_attention, sliding_attention/,
    ],
    [{ ...windowed, num_hidden_layers: 1e9 }, "num_hidden_layers", /expected at most 10000/],
    [{ ...llama, hidden_act: "relu" }, "hidden_act", /: is "relu"\. .*Allowed: silu, /],
    [{ ...llama, hidden_act: "gelu" }, "hidden_act", /llama family has silu, got gelu/],
    [{ ...llama, vocab_size: "32" }, "vocab_size", /: is "32", expected number\.$/],
    [
      { ...llama, num_key_value_heads: 3 },
      "num_key_value_heads",
      /3 key\/value heads do not divide 4 query heads/,
    ],
    [
      { ...llama, num_attention_heads: 3 },
      "num_attention_heads",
      /3 heads do not divide hidden_size 16/,
    ],
    [{ ...gpt2, n_head: 3 }, "n_head", /3 heads do not divide n_embd 16/],
    [
      { ...gpt2, scale_attn_by_inverse_layer_idx: true },
      "scale_attn_by_inverse_layer_idx",
      /true is not supported\. Allowed: false/,
    ],
    [
      { ...llama, quantization_config: { bits: 4 } },
      "quantization_config",
      /"bits":4.*Allowed: null/,
    ],
  ])("case %#", (json, key, message) => {
    const error = errorOf(json);
    expect(error.field).toBe(`model/config.json: ${key}`);
    expect(error.message).toMatch(message);
  });

  test("something that is no object", () => {
    expect(errorOf([]).message).toMatch(/model\/config.json: .*must be a JSON object/);
    expect(errorOf(null).field).toBe("model/config.json");
  });
});

const writable = { ...tinyConfigs, ...windowedQwens };

test.each(Object.entries(writable))("%s survives writing and reading", (_name, tiny) => {
  const config = modelConfigSchema.parse({ ...tiny, bosTokenId: 1, eosTokenIds: [2, 3] });
  const file = toHuggingFaceConfig(config, { dtype: "float16" });
  expect(file.torch_dtype).toBe("float16");
  expect(file.architectures).toHaveLength(1);
  const { config: read, unknownKeys } = parseHuggingFaceConfig(
    JSON.parse(JSON.stringify(file)),
    "config.json",
  );
  expect(read).toEqual(config);
  expect(unknownKeys).toEqual([]);
});
