import { type Family, oneOfValues } from "./define.js";
import { rotaryFamily, rotaryFormat } from "./rotary.js";
import { windowGiven } from "./sliding-window.js";

/** Mistral: a Llama without biases, whose heads may have any width. */
export const mistral: Family = {
  ...rotaryFamily,
  summary: "RMS norm, rotary positions, SwiGLU MLP, grouped-query attention, no biases",
  headsDivideHiddenSize: false,
  biases: { attention: [false], attentionOutput: true, mlp: [false] },
  huggingFace: {
    ...rotaryFormat,
    architecture: "MistralForCausalLM",
    keys: { ...rotaryFormat.keys, slidingWindow: ["sliding_window"] },
    // transformers has another default for it than one per query head.
    required: [...rotaryFormat.required, "numKeyValueHeads"],
    requirements: {
      ...rotaryFormat.requirements,
      ...windowGiven,
      attention_bias: oneOfValues(false),
      mlp_bias: oneOfValues(false),
    },
  },
};
