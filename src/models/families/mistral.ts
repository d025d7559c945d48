import { type Family, oneOfValues } from "./define.js";
import { rotaryFamily, rotaryFormat } from "./rotary.js";
import { oneWindow, oneWindowRequired } from "./sliding-window.js";

/** Mistral: a Llama without biases, whose heads may have any width. */
export const mistral: Family = {
  ...rotaryFamily,
  summary: "RMS norm, rotary positions, SwiGLU MLP, grouped-query attention, no biases",
  headsDivideHiddenSize: false,
  biases: { attention: [false], attentionOutput: true, mlp: [false] },
  huggingFace: {
    ...rotaryFormat,
    architecture: "MistralForCausalLM",
    // transformers has another default for it than one per query head.
    required: [...rotaryFormat.required, "numKeyValueHeads"],
    requirements: {
      ...rotaryFormat.requirements,
      ...oneWindowRequired,
      attention_bias: oneOfValues(false),
      mlp_bias: oneOfValues(false),
    },
    windows: oneWindow,
  },
};
