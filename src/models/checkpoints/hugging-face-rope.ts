import { oneOf, PupilError } from "../../errors/index.js";
import { type RopeScaling, ropeScalingTypes } from "../decoder/rope-scaling.js";

type Json = Readonly<Record<string, unknown>>;

/** Keys of a config's `rope_scaling` by our fields. */
export const ropeScalingKeys: Readonly<Record<string, string>> = {
  type: "rope_type",
  factor: "factor",
  originalMaxPositions: "original_max_position_embeddings",
  attentionFactor: "attention_factor",
  lowFrequencyFactor: "low_freq_factor",
  highFrequencyFactor: "high_freq_factor",
  betaFast: "beta_fast",
  betaSlow: "beta_slow",
  mscale: "mscale",
  mscaleAllDim: "mscale_all_dim",
  truncate: "truncate",
  shortFactor: "short_factor",
  longFactor: "long_factor",
};
/** Keys of the same object that are read elsewhere. */
const otherKeys = ["type", "rope_theta", "partial_rotary_factor"];
/** Types that were pre-trained at a length of their own. */
const typesWithOriginalLength: readonly unknown[] = ["llama3", "yarn", "longrope"];

export interface FoundRopeScaling {
  /** The key of the file that holds it. */
  readonly key: string;
  /** Not validated yet. */
  readonly scaling: Readonly<Record<string, unknown>> | null;
  readonly unknownKeys: readonly string[];
}

/**
 * Rotary scaling as a config states it: in `rope_scaling` (with `rope_type` or, older, `type`) or in
 * `rope_parameters` (transformers 5), the former first, as transformers reads them.
 *
 * @throws PupilError for a type that we do not know, or none beside other keys
 */
export function readRopeScaling(file: Json, source: string): FoundRopeScaling {
  const key = ["rope_scaling", "rope_parameters"].find((name) => file[name] != null);
  if (key === undefined) return { key: "rope_scaling", scaling: null, unknownKeys: [] };
  const given = file[key];
  const fail = (problem: string, remedy: string, part = ""): never => {
    throw new PupilError(problem, { field: `${source}: ${key}${part}`, value: given, remedy });
  };
  const types = ["default", ...ropeScalingTypes];
  if (typeof given !== "object" || Array.isArray(given)) {
    return fail(`${JSON.stringify(given)} is not an object.`, "Allowed: null or an object.");
  }
  const values = given as Json;
  const present = Object.keys(values).filter((name) => values[name] != null);
  const rest = present.filter((name) => !["rope_type", ...otherKeys].includes(name));
  const type = values["rope_type"] ?? values["type"] ?? (rest.length === 0 ? "default" : undefined);
  if (type === undefined) {
    return fail(
      `${JSON.stringify(given)} has no rope_type.`,
      `Give it one of: ${types.join(", ")}.`,
    );
  }
  if (!types.includes(String(type))) {
    return fail(
      `${JSON.stringify(type)} is not supported.`,
      oneOf(String(type), types),
      ".rope_type",
    );
  }
  if ((values["partial_rotary_factor"] ?? 1) !== 1) {
    return fail("Only whole heads can be turned.", "Allowed: 1.", ".partial_rotary_factor");
  }
  const fields = Object.entries(ropeScalingKeys).filter(([field]) => field !== "type");
  const known = new Set(fields.map(([, name]) => name));
  const unknownKeys = rest.filter((name) => !known.has(name)).map((name) => `${key}.${name}`);
  if (type === "default") return { key, scaling: null, unknownKeys };
  const scaling: Record<string, unknown> = { type };
  for (const [field, name] of fields) if (values[name] != null) scaling[field] = values[name];
  const outside = file["original_max_position_embeddings"];
  if (outside != null && typesWithOriginalLength.includes(type)) {
    scaling["originalMaxPositions"] = outside;
  }
  return { key, scaling, unknownKeys };
}

/** The value of `rope_scaling` in a `config.json`. */
export function toHuggingFaceRopeScaling(scaling: RopeScaling | null): Json | null {
  if (scaling === null) return null;
  const entries = Object.entries(scaling).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([field, value]) => [ropeScalingKeys[field] as string, value]),
  );
}
