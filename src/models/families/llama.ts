import type { Family } from "./define.js";
import { rotaryFamily, rotaryFormat } from "./rotary.js";

/** Llama: RMS norm, rotary positions, gated SiLU MLP, grouped-query attention. */
export const llama: Family = {
  ...rotaryFamily,
  summary: "RMS norm, rotary positions, SwiGLU MLP, grouped-query attention, optional biases",
  headsDivideHiddenSize: true,
  biases: { attention: [false, true], attentionOutput: true, mlp: [false, true] },
  huggingFace: {
    ...rotaryFormat,
    architecture: "LlamaForCausalLM",
    keys: { ...rotaryFormat.keys, attentionBias: ["attention_bias"], mlpBias: ["mlp_bias"] },
    irrelevant: [...rotaryFormat.irrelevant, "pretraining_tp"],
  },
};
