import type { Family } from "./define.js";
import { rotaryFamily, rotaryFormat } from "./rotary.js";
import { windowByLayer, windowByLayerRequired } from "./sliding-window.js";

/** Qwen3: a Llama with an RMS norm over each head of query and key. */
export const qwen3: Family = {
  ...rotaryFamily,
  summary: "RMS norm, also of each query and key head, rotary positions, SwiGLU MLP",
  headsDivideHiddenSize: false,
  biases: { attention: [false, true], attentionOutput: true, mlp: [false] },
  names: {
    ...rotaryFamily.names,
    headNorms: { query: "self_attn.q_norm", key: "self_attn.k_norm" },
  },
  huggingFace: {
    ...rotaryFormat,
    architecture: "Qwen3ForCausalLM",
    keys: { ...rotaryFormat.keys, attentionBias: ["attention_bias"] },
    // transformers has other defaults for the last two than ours.
    required: [...rotaryFormat.required, "numKeyValueHeads", "headDim"],
    requirements: { ...rotaryFormat.requirements, ...windowByLayerRequired },
    windows: windowByLayer,
  },
};
