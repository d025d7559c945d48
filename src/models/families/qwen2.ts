import { type Family, oneOfValues } from "./define.js";
import { rotaryFamily, rotaryFormat } from "./rotary.js";
import { windowByLayer, windowByLayerRequired } from "./sliding-window.js";

/** Qwen2: a Llama with biases in query, key and value alone. */
export const qwen2: Family = {
  ...rotaryFamily,
  summary: "RMS norm, rotary positions, SwiGLU MLP, grouped-query attention, q/k/v biases",
  headsDivideHiddenSize: false,
  biases: { attention: [true], attentionOutput: false, mlp: [false] },
  huggingFace: {
    ...rotaryFormat,
    architecture: "Qwen2ForCausalLM",
    // transformers has another default for it than one per query head.
    required: [...rotaryFormat.required, "numKeyValueHeads"],
    requirements: {
      ...rotaryFormat.requirements,
      ...windowByLayerRequired,
      use_mrope: oneOfValues(false),
    },
    windows: windowByLayer,
  },
};
