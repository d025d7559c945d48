import type { Family } from "./define.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

export {
  type Activation,
  activations,
  type Family,
  mostLayers,
} from "./define.js";
export { normalWindows } from "./sliding-window.js";

/** Every family a decoder can be of, by its Hugging Face `model_type`. */
export const families = { llama, mistral, qwen2, qwen3, gpt2 } satisfies Record<string, Family>;
export type FamilyName = keyof typeof families;
/** Names of the families, as `model_type` of Hugging Face's configs has them. */
export const familyNames = Object.keys(families) as [FamilyName, ...FamilyName[]];
