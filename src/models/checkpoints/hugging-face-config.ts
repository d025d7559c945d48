import { firstProblem, oneOf, PupilError, showValue } from "../../errors/index.js";
import { type ModelConfig, modelConfigSchema } from "../decoder/config.js";
import type { WeightDtype } from "./safetensors.js";
import {
  families,
  type Family,
  type FamilyName,
  familyNames,
  normalWindows,
} from "../families/index.js";
import {
  type FoundRopeScaling,
  readRopeScaling,
  ropeScalingKeys,
  toHuggingFaceRopeScaling,
} from "./hugging-face-rope.js";

export interface ParsedConfig {
  readonly config: ModelConfig;
  /** Keys that we neither use nor know to be harmless, for the caller to report. */
  readonly unknownKeys: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Hugging Face `config.json` of one of our families, already parsed.
 *
 * @param source how errors call the file, such as its path
 * @throws PupilError naming key, value and what is allowed: unsupported model_type, rotary scaling,
 *   sliding window or activation, a missing or inconsistent size
 */
export function parseHuggingFaceConfig(json: unknown, source: string): ParsedConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new PupilError("A model configuration must be a JSON object.", { field: source });
  }
  const file = json as Json;
  const familyName = readFamilyName(file, source);
  const { huggingFace, position } = families[familyName] as Family;

  for (const [key, { allowed, accepts }] of Object.entries(huggingFace.requirements)) {
    const value = file[key];
    if (!accepts(value, file)) {
      throw new PupilError(
        `${value === undefined ? "An absent key" : showValue(value)} is not supported.`,
        {
          field: `${source}: ${key}`,
          value,
          remedy: `Allowed: ${allowed}.`,
        },
      );
    }
  }

  const options: Record<string, unknown> = { family: familyName };
  const keyOf: Record<string, string> = { family: "model_type" };
  for (const [field, keys] of Object.entries(huggingFace.keys)) {
    const key = keys.find((name) => lookUp(file, name) != null);
    keyOf[field] = key ?? (keys[0] as string);
    if (key !== undefined) options[field] = lookUp(file, key);
    else if (huggingFace.required.includes(field)) {
      throw new PupilError("This key is missing.", { field: `${source}: ${keyOf[field]}` });
    }
  }
  if (huggingFace.windows) {
    Object.assign(options, huggingFace.windows.read(file));
    Object.assign(keyOf, huggingFace.windows.keys);
  }
  if (typeof options.eosTokenIds === "number") options.eosTokenIds = [options.eosTokenIds];
  const rope = position === "rotary" ? readRopeScaling(file, source) : undefined;
  if (rope) {
    options.ropeScaling = rope.scaling;
    keyOf.ropeScaling = rope.key;
    if (rope.theta !== undefined) {
      options.ropeTheta = rope.theta;
      keyOf.ropeTheta = `${rope.key}.rope_theta`;
    }
  }

  const result = modelConfigSchema.safeParse(options);
  if (!result.success) {
    const [issue] = result.error.issues;
    const { path, value, problem } = firstProblem(result.error, options);
    const [field = "", ...inner] = path;
    const innerKeys = inner.map((name) => `.${ropeScalingKeys[name] ?? name}`).join("");
    const names = { ...ropeScalingKeys, ...keyOf };
    // Checks across fields quote their values.
    const what = issue?.code === "custom" ? issue.message : problem;
    throw new PupilError(withFileKeys(what, names), {
      field: `${source}: ${keyOf[field] ?? field}${innerKeys}`,
      value,
    });
  }
  return { config: result.data, unknownKeys: unknownKeys(file, huggingFace, rope) };
}

/** A `config.json` that Python `transformers` loads with `from_pretrained`. */
export function toHuggingFaceConfig(
  config: ModelConfig,
  options: { readonly dtype?: WeightDtype } = {},
): Record<string, unknown> {
  const { huggingFace, position } = families[config.family] as Family;
  const values: Readonly<Record<string, unknown>> = {
    ...config,
    eosTokenIds:
      config.eosTokenIds.length > 1 ? config.eosTokenIds : (config.eosTokenIds[0] ?? null),
  };
  const fields = Object.entries(huggingFace.keys).map(([field, [key]]) => [key, values[field]]);
  return {
    architectures: [huggingFace.architecture],
    model_type: config.family,
    torch_dtype: options.dtype ?? "float32",
    ...huggingFace.constants,
    ...Object.fromEntries(fields),
    ...huggingFace.windows?.write(normalWindows(config), config.numLayers),
    ...(position === "rotary"
      ? { rope_scaling: toHuggingFaceRopeScaling(config.ropeScaling) }
      : {}),
  };
}

function readFamilyName(file: Json, source: string): FamilyName {
  const value = file.model_type;
  const name = familyNames.find((known) => known === value);
  if (name !== undefined) return name;
  const given = typeof value === "string" ? value : "";
  const problem =
    value === undefined ? "This key is missing." : `${showValue(value)} is not supported.`;
  throw new PupilError(problem, {
    field: `${source}: model_type`,
    value,
    remedy: oneOf(given, familyNames),
  });
}

/** A dot in the key reaches into an object. */
function lookUp(file: Json, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((value, part) => (value as Json | null | undefined)?.[part], file);
}

/** Our field names in a message, replaced by the keys that stand in the file. */
function withFileKeys(message: string, keyOf: Readonly<Record<string, string>>): string {
  return message.replace(/\b[a-z]+[A-Z]\w*/g, (word) => keyOf[word] ?? word);
}

function unknownKeys(
  file: Json,
  format: Family["huggingFace"],
  rope: FoundRopeScaling | undefined,
): string[] {
  const known = new Set([
    ...Object.values(format.keys).flatMap((keys) => keys.map((key) => key.split(".")[0])),
    ...Object.keys(format.requirements),
    ...Object.values(format.windows?.keys ?? {}),
    ...(format.windows?.otherKeys ?? []),
    ...Object.keys(format.constants),
    ...format.irrelevant,
    ...(rope ? ["rope_scaling", "rope_parameters", "original_max_position_embeddings"] : []),
  ]);
  const unknown = Object.keys(file).filter((key) => !known.has(key));
  return [...unknown, ...(rope?.unknownKeys ?? [])];
}
