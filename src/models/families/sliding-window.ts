import type { Requirement } from "./define.js";

type File = Readonly<Record<string, unknown>>;

/** Whether a window of that many keys hides none of them. */
function hidesNothing(window: unknown, file: File): boolean {
  if (window === null) return true;
  const longest = file["max_position_embeddings"];
  return typeof window === "number" && typeof longest === "number" && window >= longest;
}

/** Where the key is absent, transformers has a window of 4096: it must be given if that hides anything. */
export const windowGiven: Readonly<Record<string, Requirement>> = {
  sliding_window: {
    allowed: "null or a number of tokens (absent, it is 4096)",
    accepts: (value, file) => value !== undefined || hidesNothing(4096, file),
  },
};

function windowUnused(file: File): boolean {
  const { sliding_window: window = 4096, max_window_layers: first = 28 } = file;
  const { num_hidden_layers: layers, layer_types: types } = file;
  if (file["use_sliding_window"] !== true || hidesNothing(window, file)) return true;
  if (Array.isArray(types)) return types.every((type) => type === "full_attention");
  return typeof first === "number" && typeof layers === "number" && first >= layers;
}

/** Some layers have it, where `use_sliding_window` says so: those from `max_window_layers` on. */
export const windowOfLateLayers: Readonly<Record<string, Requirement>> = {
  use_sliding_window: {
    allowed: "false, unless sliding_window is null or at least max_position_embeddings",
    accepts: (_, file) => windowUnused(file),
  },
  layer_types: {
    allowed: '"full_attention" in every layer',
    accepts: (types, file) =>
      types === undefined ||
      types === null ||
      (Array.isArray(types) && types.every((type) => type === "full_attention")) ||
      hidesNothing(file["sliding_window"], file),
  },
};
