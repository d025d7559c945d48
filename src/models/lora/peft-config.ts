import { oneOf, PupilError, showValue } from "../../errors/index.js";
import { enumerate } from "../decoder/enumerate.js";
import type { Requirement } from "../families/define.js";
import { oneOfValues } from "../families/define.js";
import type { LoraSettings } from "./lora-options.js";

/** Names of the files of PEFT's layout. */
export const adapterFiles = {
  config: "adapter_config.json",
  weights: "adapter_model.safetensors",
} as const;

/** An adapter as its `adapter_config.json` describes it. */
export interface PeftConfig {
  /** Without targets where the file has a pattern or limits to some layers: the weights tell. */
  readonly settings: Omit<LoraSettings, "targets"> & { readonly targets?: readonly string[] };
  /** Keys that we neither use nor know to be harmless, for the caller to report. */
  readonly unknownKeys: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** Absent, null, false, an empty list or object: how PEFT writes that a feature is not used. */
function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

const off: Requirement = { allowed: "null, false or empty", accepts: isOff };

/** Features that change what an adapter computes in ways that we do not implement. */
const requirements: Readonly<Record<string, Requirement>> = {
  bias: oneOfValues("none"),
  init_lora_weights: {
    allowed: "true, false, gaussian, orthogonal, eva",
    // The others (pissa, olora, …) change the base weights as well.
    accepts: (value) =>
      [undefined, null, true, false, "gaussian", "orthogonal", "eva"].includes(value as never),
  },
  rank_pattern: off,
  alpha_pattern: off,
  use_dora: off,
  use_qalora: off,
  use_bdlora: off,
  lora_bias: off,
  target_parameters: off,
  trainable_token_indices: off,
  layer_replication: off,
  alora_invocation_tokens: off,
  arrow_config: off,
  kasa_config: off,
  velora_config: off,
  monteclora_config: off,
  megatron_config: off,
};

/** Keys without bearing on the forward pass: of training, of loading, of features that are off. */
const irrelevant: ReadonlySet<string> = new Set([
  "auto_mapping",
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "inference_mode",
  "loftq_config",
  "lora_ga_config",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
  "revision",
  "runtime_config",
  "task_type",
]);

const read: ReadonlySet<string> = new Set([
  "peft_type",
  "base_model_name_or_path",
  "fan_in_fan_out",
  "r",
  "lora_alpha",
  "target_modules",
  "use_rslora",
  "exclude_modules",
  "layers_to_transform",
  "layers_pattern",
]);

/**
 * Reads an `adapter_config.json`, already parsed. `lora_dropout` has no effect here and is reported
 * as an unknown key where it is not 0.
 *
 * @param source how errors call the file, such as its path
 * @throws PupilError for another kind of adapter, and for features of PEFT that we do not have
 */
export function parsePeftConfig(json: unknown, source: string): PeftConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new PupilError("An adapter configuration must be a JSON object.", { field: source });
  }
  const file = json as Json;
  const fail = (key: string, problem: string, remedy: string): never => {
    throw new PupilError(problem, { field: `${source}: ${key}`, value: file[key], remedy });
  };
  const show = (key: string) => (file[key] === undefined ? "An absent key" : showValue(file[key]));
  if (file.peft_type !== "LORA") {
    const type = typeof file.peft_type === "string" ? file.peft_type : "";
    fail("peft_type", `${show("peft_type")} is not supported.`, oneOf(type, ["LORA"]));
  }
  for (const [key, { allowed, accepts }] of Object.entries(requirements)) {
    if (accepts(file[key], file)) continue;
    const problem = `${show(key)} is not supported.`;
    fail(key, problem, `Allowed: ${allowed}. Or merge it in Python: merge_and_unload().`);
  }
  if (!isOff(file.modules_to_save)) {
    const modules = namesOf(file.modules_to_save);
    fail(
      "modules_to_save",
      `The adapter holds ${modules} as trained whole, beside its LoRA matrices, which is not supported.`,
      "Merge it in Python: merge_and_unload().",
    );
  }
  const number = (key: string, isRight: (value: number) => boolean, what: string): number => {
    const value = file[key];
    if (typeof value === "number" && isRight(value)) return value;
    return fail(key, `${show(key)} is no ${what}.`, "Use the file that belongs to the weights.");
  };
  const { base_model_name_or_path: base, lora_dropout: dropout } = file;
  const targets = listedTargets(file);
  return {
    settings: {
      rank: number("r", (r) => Number.isInteger(r) && r >= 1, "rank"),
      alpha: number("lora_alpha", isScale, "scale above 0 that float32 can hold"),
      rankStabilized: file.use_rslora === true,
      initialization: file.init_lora_weights === "gaussian" ? "gaussian" : "kaiming",
      ...(targets && { targets }),
      ...(typeof base === "string" && base !== "" ? { baseModel: base } : {}),
    },
    unknownKeys: Object.keys(file).filter(
      (key) =>
        !(key in requirements || irrelevant.has(key) || read.has(key) || isOff(file[key])) &&
        !(key === "lora_dropout" && dropout === 0),
    ),
  };
}

/** Above 0 and finite, also in float32. */
function isScale(value: number): boolean {
  return Math.fround(value) > 0 && Number.isFinite(Math.fround(value));
}

/** Names of modules in a message. */
function namesOf(value: unknown): string {
  const isNames = Array.isArray(value) && value.every((name) => typeof name === "string");
  return isNames ? enumerate(value) : showValue(value);
}

/** Names of projections, if the file has a plain list of them that holds for all layers. */
function listedTargets(file: Json): string[] | undefined {
  const { target_modules: targets } = file;
  const limits = ["exclude_modules", "layers_to_transform", "layers_pattern"];
  if (!Array.isArray(targets) || limits.some((key) => !isOff(file[key]))) return undefined;
  return targets.every((target) => typeof target === "string") ? targets : undefined;
}

/**
 * An `adapter_config.json` that PEFT's `PeftModel.from_pretrained` loads.
 *
 * @param weightLayout of the base model's projections: GPT-2's lie the other way round
 */
export function toPeftConfig(
  { rank, alpha, rankStabilized, initialization, targets, baseModel }: LoraSettings,
  weightLayout: "out-in" | "in-out",
): Record<string, unknown> {
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    revision: null,
    inference_mode: true,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    use_rslora: rankStabilized,
    use_dora: false,
    target_modules: [...targets],
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: {},
    bias: "none",
    fan_in_fan_out: weightLayout === "in-out",
    init_lora_weights: initialization === "gaussian" ? "gaussian" : true,
    auto_mapping: null,
  };
}
