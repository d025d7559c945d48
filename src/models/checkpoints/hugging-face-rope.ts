import { oneOf, PupilError, showValue } from "../../errors/index.js";
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
  /** The `rope_theta` that stands beside it, which comes before the file's own. */
  readonly theta?: unknown;
  readonly unknownKeys: readonly string[];
}

/**
 * Rotary scaling and base as a config states them: in `rope_scaling` (with `rope_type` or, older,
 * `type`) or in `rope_parameters` (transformers 5), the former first, as transformers reads them. Of
 * two such objects the other has no effect, nor has a `rope_theta` of the file where the object has
 * another.
 *
 * @throws PupilError for a type that we do not know, or none beside other keys
 */
export function readRopeScaling(file: Json, source: string): FoundRopeScaling {
  const keys = ["rope_scaling", "rope_parameters"].filter((name) => !isEmpty(file[name]));
  const [key] = keys;
  if (key === undefined) return { key: "rope_scaling", scaling: null, unknownKeys: [] };
  const given = file[key];
  const fail = (problem: string, remedy: string, part = ""): never => {
    throw new PupilError(problem, { field: `${source}: ${key}${part}`, value: given, remedy });
  };
  const types = ["default", ...ropeScalingTypes];
  if (typeof given !== "object" || Array.isArray(given)) {
    return fail(`${showValue(given)} is not an object.`, "Allowed: null or an object.");
  }
  const values = given as Json;
  const present = Object.keys(values).filter((name) => values[name] != null);
  const rest = present.filter((name) => !["rope_type", ...otherKeys].includes(name));
  const type = values["rope_type"] ?? values["type"] ?? (rest.length === 0 ? "default" : undefined);
  if (type === undefined) {
    return fail(`${showValue(given)} has no rope_type.`, `Give it one of: ${types.join(", ")}.`);
  }
  // Not by its text: that of ["yarn"] is a type, and that of a list in 20,000 others has no end.
  if (typeof type !== "string" || !types.includes(type)) {
    const near = typeof type === "string" ? type : "";
    return fail(`${showValue(type)} is not supported.`, oneOf(near, types), ".rope_type");
  }
  if ((values["partial_rotary_factor"] ?? 1) !== 1) {
    return fail("Only whole heads can be turned.", "Allowed: 1.", ".partial_rotary_factor");
  }
  const fields = Object.entries(ropeScalingKeys).filter(([field]) => field !== "type");
  const known = new Set(fields.map(([, name]) => name));
  const theta = values["rope_theta"] ?? undefined;
  const ignored = theta !== undefined && ![undefined, null, theta].includes(file["rope_theta"]);
  const unknownKeys = [
    ...rest.filter((name) => !known.has(name)).map((name) => `${key}.${name}`),
    ...(ignored ? ["rope_theta"] : []),
    ...keys.slice(1),
  ];
  const found = { key, ...(theta === undefined ? {} : { theta }), unknownKeys };
  if (type === "default") return { ...found, scaling: null };
  const scaling: Record<string, unknown> = { type };
  for (const [field, name] of fields) if (values[name] != null) scaling[field] = values[name];
  const outside = file["original_max_position_embeddings"];
  if (outside != null && typesWithOriginalLength.includes(type)) {
    scaling["originalMaxPositions"] = outside;
  }
  return { ...found, scaling };
}

/** What Python takes for nothing: null, or an object without keys. */
function isEmpty(value: unknown): boolean {
  return value == null || (typeof value === "object" && Object.keys(value).length === 0);
}

/** The value of `rope_scaling` in a `config.json`. */
export function toHuggingFaceRopeScaling(scaling: RopeScaling | null): Json | null {
  if (scaling === null) return null;
  const entries = Object.entries(scaling).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([field, value]) => [ropeScalingKeys[field] as string, value]),
  );
}
