import { type Family, irrelevantKeys, oneOfValues, type Requirement } from "./define.js";

const unscaledRotary: Requirement = {
  allowed: 'null or {"rope_type": "default"}',
  accepts: (value) => {
    if (value === undefined || value === null) return true;
    if (typeof value !== "object") return false;
    const { rope_type: ropeType, type } = value as Record<string, unknown>;
    return (ropeType ?? type) === "default";
  },
};

/** Llama: RMS norm, rotary positions, gated SiLU MLP, grouped-query attention. */
export const llama: Family = {
  summary: "RMS norm, rotary positions, SwiGLU MLP, grouped-query attention, optional biases",
  norm: "rms",
  position: "rotary",
  weightLayout: "out-in",
  separateKeyValueHeads: true,
  optionalBiases: true,
  activations: ["silu"],
  defaults: {
    activation: "silu",
    attentionBias: false,
    mlpBias: false,
    normEpsilon: 1e-6,
    tieWordEmbeddings: false,
    // Two thirds of 4D, so that the three matrices of a gated MLP weigh as much as two of width 4D.
    intermediateSize: (hiddenSize) => 8 * Math.ceil(hiddenSize / 3),
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
  huggingFace: {
    architecture: "LlamaForCausalLM",
    keys: {
      vocabSize: ["vocab_size"],
      hiddenSize: ["hidden_size"],
      intermediateSize: ["intermediate_size"],
      numLayers: ["num_hidden_layers"],
      numHeads: ["num_attention_heads"],
      numKeyValueHeads: ["num_key_value_heads"],
      headDim: ["head_dim"],
      maxPositions: ["max_position_embeddings"],
      ropeTheta: ["rope_theta", "rope_parameters.rope_theta"],
      normEpsilon: ["rms_norm_eps"],
      tieWordEmbeddings: ["tie_word_embeddings"],
      attentionBias: ["attention_bias"],
      mlpBias: ["mlp_bias"],
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
      rope_scaling: unscaledRotary,
      rope_parameters: unscaledRotary,
      partial_rotary_factor: oneOfValues(1),
      quantization_config: oneOfValues(null),
    },
    irrelevant: [...irrelevantKeys, "pretraining_tp"],
    constants: { attention_dropout: 0, rope_scaling: null, use_cache: true },
    bufferNames: /(^|\.)rotary_emb\.inv_freq$/,
  },
};
