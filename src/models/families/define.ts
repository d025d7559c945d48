/** Names of the parameter groups of a decoder in a checkpoint, relative to the block where there is one. */
export interface ParameterNames {
  /** Prefix that checkpoints of the bare model (without the head) leave out. */
  readonly basePrefix: string;
  readonly tokenEmbedding: string;
  /** Only with learned positions. */
  readonly positionEmbedding: string;
  /** `{layer}` stands for the index of the block. */
  readonly block: string;
  readonly attentionNorm: string;
  /** Query, key and value; one name means one fused projection with the three side by side. */
  readonly attentionInputs: readonly string[];
  /** RMS norms of each head of query and key, before the rotation; absent where there are none. */
  readonly headNorms?: { readonly query: string; readonly key: string };
  readonly attentionOutput: string;
  readonly mlpNorm: string;
  /** Gate and up projection, or the up projection alone. */
  readonly mlpInputs: readonly string[];
  readonly mlpOutput: string;
  readonly finalNorm: string;
  readonly head: string;
}

/** A value of a `config.json` key that we can honour. */
export interface Requirement {
  /** What is accepted, in words. */
  readonly allowed: string;
  /** `file` is the whole configuration, for keys that depend on others. */
  accepts(value: unknown, file: Readonly<Record<string, unknown>>): boolean;
}

/** Far above every model that there is: beyond, a file is wrong, and building would take for ever. */
export const mostLayers = 10_000;

/** Fields of a configuration about sliding windows, in the form in which a file's are compared. */
export interface LayerWindows {
  /** How many keys a token sees, itself included; null for all. */
  readonly slidingWindow: number | null;
  /** One entry per layer; null where all have the window, or none does. */
  readonly layerTypes: ("full_attention" | "sliding_attention")[] | null;
}

/** How a family's `config.json` says which layers have a sliding window. */
export interface WindowFormat {
  /** Whether only some of the layers may have it. */
  readonly byLayer: boolean;
  /** What the keys are by our fields, for errors. */
  readonly keys: Readonly<Record<keyof LayerWindows, string>>;
  /** Further keys that are read. */
  readonly otherKeys: readonly string[];
  /** The fields as a file states them, not validated yet. */
  read(file: Readonly<Record<string, unknown>>): Readonly<Record<keyof LayerWindows, unknown>>;
  /** The keys of such windows. */
  write(windows: LayerWindows, numLayers: number): Readonly<Record<string, unknown>>;
}

/** The `config.json` side of a family. */
export interface HuggingFaceFormat {
  readonly architecture: string;
  /**
   * For each of our fields the keys that hold it: the first is written, the others are read too.
   * A dot reaches into an object.
   */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** Fields that a file must give; the rest has defaults. */
  readonly required: readonly string[];
  /** Keys that change the computation in ways we do not implement, with the values that are fine. */
  readonly requirements: Readonly<Record<string, Requirement>>;
  /** Absent where the family has no sliding window. */
  readonly windows?: WindowFormat;
  /** Keys that we know and that have no bearing on the forward pass. */
  readonly irrelevant: readonly string[];
  /** Keys with fixed values that are written beside our fields. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Tensors in a checkpoint that are constants of the architecture, not parameters. */
  readonly bufferNames: RegExp;
}

export const activations = ["silu", "gelu_new", "gelu_pytorch_tanh", "gelu"] as const;
export type Activation = (typeof activations)[number];

/** Everything that distinguishes one family of decoders from another, as data. */
export interface Family {
  /** One sentence. */
  readonly summary: string;
  readonly norm: "rms" | "layer";
  readonly position: "rotary" | "learned";
  /** Layout of the matrices of the blocks; embedding and head are always `[V, D]`. */
  readonly weightLayout: "out-in" | "in-out";
  /** False where query, key and value heads are always as many and `hiddenSize / numHeads` wide. */
  readonly separateKeyValueHeads: boolean;
  /** Whether `numHeads` must divide `hiddenSize` even where `headDim` is given. */
  readonly headsDivideHiddenSize: boolean;
  /** Which projections have biases. Of the values of a field that a family knows, the first is the default. */
  readonly biases: {
    /** Values of `attentionBias`: biases of query, key and value. */
    readonly attention: readonly boolean[];
    /** Whether `attentionBias` goes for the output projection too; else that has none. */
    readonly attentionOutput: boolean;
    /** Values of `mlpBias`. */
    readonly mlp: readonly boolean[];
  };
  /** Activations that the family's MLP is defined for. */
  readonly activations: readonly Activation[];
  readonly defaults: {
    readonly activation: Activation;
    readonly normEpsilon: number;
    readonly tieWordEmbeddings: boolean;
    intermediateSize(hiddenSize: number): number;
  };
  readonly names: ParameterNames;
  readonly huggingFace: HuggingFaceFormat;
}

/** Accepts the listed values, and an absent key or null. */
export function oneOfValues(...values: readonly unknown[]): Requirement {
  return {
    allowed: values.map((value) => JSON.stringify(value)).join(", "),
    accepts: (value) => value === undefined || value === null || values.includes(value),
  };
}

/** Keys that every `config.json` may have and that do not change the forward pass. */
export const irrelevantKeys: readonly string[] = [
  "_name_or_path",
  "architectures",
  "attention_dropout",
  "dtype",
  "model_type",
  "torch_dtype",
  "transformers.js_config",
  "transformers_version",
  "use_cache",
];
