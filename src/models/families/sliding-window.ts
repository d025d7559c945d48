import { type LayerWindows, mostLayers, type Requirement, type WindowFormat } from "./define.js";

type File = Readonly<Record<string, unknown>>;
type Requirements = Readonly<Record<string, Requirement>>;

/** What transformers takes where the key is absent. */
const defaults = { sliding_window: 4096, max_window_layers: 28 };
const [full, sliding] = ["full_attention", "sliding_attention"] as const;
const keys = { slidingWindow: "sliding_window", layerTypes: "layer_types" };

/** Whether a window of that many keys hides none of them. */
function hidesNothing(window: unknown, file: File): boolean {
  if (window === null) return true;
  const longest = file["max_position_embeddings"];
  return typeof window === "number" && typeof longest === "number" && window >= longest;
}

/** One window for all layers: Mistral's. */
export const oneWindow: WindowFormat = {
  byLayer: false,
  keys,
  otherKeys: [],
  read: ({ sliding_window: slidingWindow = null }) => ({ slidingWindow, layerTypes: null }),
  write: ({ slidingWindow }) => ({ sliding_window: slidingWindow }),
};

/** Where the window is absent it is transformers' own: it must be given if that hides anything. */
export const oneWindowRequired: Requirements = {
  sliding_window: {
    allowed: "null or a number of tokens (absent, it is 4096)",
    accepts: (value, file) => value !== undefined || hidesNothing(defaults.sliding_window, file),
  },
  // transformers computes its Mistral as if this key were not there.
  layer_types: {
    allowed: `"${sliding}" in every layer, unless sliding_window is null`,
    accepts: (types, { sliding_window: window = defaults.sliding_window, ...file }) =>
      isAbsent(types) || hidesNothing(window, file) || everyIs(sliding, types),
  },
};

/**
 * Some layers have it, where `use_sliding_window` says so: those that `layer_types` names, or without
 * that key those from `max_window_layers` on. Both are written: older readers know the second alone.
 *
 * Source: `Qwen2Config.__post_init__` and `Qwen3Config.__post_init__` of transformers 5.24.
 */
export const windowByLayer: WindowFormat = {
  byLayer: true,
  keys,
  otherKeys: ["use_sliding_window", "max_window_layers"],
  read: (file) => {
    const window = windowInUse(file);
    if (window === null) return { slidingWindow: null, layerTypes: null };
    const { layer_types: types, num_hidden_layers: layers } = file;
    const { max_window_layers: first = defaults.max_window_layers } = file;
    if (!isAbsent(types)) return { slidingWindow: window, layerTypes: types };
    // Of a number that is refused as numLayers nothing is made.
    const length = typeof layers === "number" && layers <= mostLayers ? layers : 0;
    const layerTypes = Array.from({ length }, (_, i) => (i >= (first as number) ? sliding : full));
    return { slidingWindow: window, layerTypes };
  },
  write: ({ slidingWindow, layerTypes }, length) => {
    if (slidingWindow === null) return { use_sliding_window: false };
    const types = layerTypes ?? Array.from({ length }, () => sliding);
    return {
      use_sliding_window: true,
      sliding_window: slidingWindow,
      max_window_layers: types.indexOf(sliding),
      layer_types: types,
    };
  },
};

/** The window as it is in use, of whatever type; null without. */
function windowInUse(file: File): unknown {
  const { use_sliding_window: isUsed, sliding_window: window = defaults.sliding_window } = file;
  return isUsed === true ? window : null;
}

export const windowByLayerRequired: Requirements = {
  use_sliding_window: {
    allowed: "true, false",
    accepts: (value) => isAbsent(value) || typeof value === "boolean",
  },
  max_window_layers: {
    allowed: "a whole number of layers (absent, it is 28)",
    accepts: (value, file) =>
      value === undefined || windowInUse(file) === null || Number.isInteger(value),
  },
  // transformers fails on a layer that slides without a window.
  layer_types: {
    allowed: `"${full}" in every layer, as use_sliding_window and sliding_window say`,
    accepts: (types, file) => isAbsent(types) || windowInUse(file) !== null || everyIs(full, types),
  },
};

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function everyIs(type: string, types: unknown): boolean {
  return Array.isArray(types) && types.every((each) => each === type);
}

/** The same windows in the form in which there is one of each: see {@link LayerWindows}. */
export function normalWindows({ slidingWindow, layerTypes }: LayerWindows): LayerWindows {
  if (slidingWindow === null) return { slidingWindow, layerTypes: null };
  if (layerTypes === null || layerTypes.every((type) => type === sliding)) {
    return { slidingWindow, layerTypes: null };
  }
  if (layerTypes.every((type) => type === full)) return { slidingWindow: null, layerTypes: null };
  return { slidingWindow, layerTypes };
}
