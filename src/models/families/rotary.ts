import { type Family, irrelevantKeys, oneOfValues } from "./define.js";

/** What Llama and the families that follow it have in common. */
export const rotaryFamily = {
  norm: "rms",
  position: "rotary",
  weightLayout: "out-in",
  separateKeyValueHeads: true,
  activations: ["silu"],
  defaults: {
    activation: "silu",
    normEpsilon: 1e-6,
    tieWordEmbeddings: false,
    // Two thirds of 4D, so that the three matrices of a gated MLP weigh as much as two of width 4D.
    intermediateSize: (hiddenSize: number) => 8 * Math.ceil(hiddenSize / 3),
  },
  names: {
    basePrefix: "model.",
    tokenEmbedding: "model.embed_tokens",
    positionEmbedding: "model.embed_positions",
    block: "model.layers.{layer}",
    attentionNorm: "input_layernorm",
    attentionInputs: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    attentionOutput: "self_attn.o_proj",
    mlpNorm: "post_attention_layernorm",
    mlpInputs: ["mlp.gate_proj", "mlp.up_proj"],
    mlpOutput: "mlp.down_proj",
    finalNorm: "model.norm",
    head: "lm_head",
  },
} as const satisfies Partial<Family>;

/** Their `config.json`, without the keys that only some of them have. */
export const rotaryFormat = {
  keys: {
    vocabSize: ["vocab_size"],
    hiddenSize: ["hidden_size"],
    intermediateSize: ["intermediate_size"],
    numLayers: ["num_hidden_layers"],
    numHeads: ["num_attention_heads"],
    numKeyValueHeads: ["num_key_value_heads"],
    headDim: ["head_dim"],
    maxPositions: ["max_position_embeddings"],
    ropeTheta: ["rope_theta"],
    normEpsilon: ["rms_norm_eps"],
    tieWordEmbeddings: ["tie_word_embeddings"],
    activation: ["hidden_act"],
    initializerRange: ["initializer_range"],
    bosTokenId: ["bos_token_id"],
    eosTokenIds: ["eos_token_id"],
    padTokenId: ["pad_token_id"],
  },
  required: [
    "vocabSize",
    "hiddenSize",
    "intermediateSize",
    "numLayers",
    "numHeads",
    "maxPositions",
  ],
  requirements: {
    partial_rotary_factor: oneOfValues(1),
    quantization_config: oneOfValues(null),
  },
  irrelevant: irrelevantKeys,
  constants: { attention_dropout: 0, use_cache: true },
  bufferNames: /(^|\.)rotary_emb\.inv_freq$/,
} as const satisfies Partial<Family["huggingFace"]>;
