import { z } from "zod";
import { inverseFrequencies, type RotaryFrequencies } from "../../ops/index.js";

const factor = z.number().min(1).describe("How many times longer than trained a sequence may be.");
const originalMaxPositions = z
  .int()
  .min(1)
  .optional()
  .describe("Longest sequence of the pre-training. Default: maxPositions.");
const attentionFactor = z
  .number()
  .min(0)
  .optional()
  .describe("Cosines and sines are multiplied by it. Default: from the paper's formula.");
const factors = z.array(z.number().positive());

/** What rotary positions depend on besides the scaling. */
interface Rope {
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly maxPositions: number;
}

/** One way of stretching rotary positions beyond the length of the pre-training. */
interface ScalingDefinition<T> {
  readonly schema: z.ZodType<T>;
  /** Radians per position, by pair, for a sequence of `length` tokens. */
  inverse(rope: Rope, scaling: T, length: number): number[];
  /** 1 where it is left out. */
  attentionFactor?(rope: Rope, scaling: T): number;
  /** The frequencies change with lengths from `from` to `to`; where left out they are fixed. */
  lengths?(rope: Rope, scaling: T): { readonly from: number; readonly to: number };
  /** Longest sequence; maxPositions where it is left out. */
  contextLength?(rope: Rope, scaling: T): number;
  /** `[path of the field, problem]` across fields. */
  inconsistency?(rope: Rope, scaling: T): [string, string] | undefined;
}

const define = <T extends { readonly type: string }>(definition: ScalingDefinition<T>) =>
  definition;

/** Positions divided by a factor. Source: Chen et al. 2023, arXiv 2306.15595. */
const linearSchema = z.strictObject({ type: z.literal("linear"), factor });
const linear = define({
  schema: linearSchema,
  inverse: ({ headDim, ropeTheta }, scaling: z.output<typeof linearSchema>) =>
    inverseFrequencies(headDim, ropeTheta).map((x) => x / scaling.factor),
});

/** A base that grows with the sequence (NTK). Source: arXiv 2309.00071, section 3.3. */
const dynamicSchema = z.strictObject({ type: z.literal("dynamic"), factor });
const dynamic = define({
  schema: dynamicSchema,
  inverse: ({ headDim, ropeTheta, maxPositions }, scaling, length) => {
    const longer = Math.max(length, maxPositions) / maxPositions;
    const stretch = scaling.factor * longer - (scaling.factor - 1);
    return inverseFrequencies(headDim, ropeTheta * stretch ** (headDim / (headDim - 2)));
  },
  contextLength: ({ maxPositions }, scaling: z.output<typeof dynamicSchema>) =>
    Math.floor(scaling.factor * maxPositions),
  lengths: ({ maxPositions }, scaling) => ({
    from: maxPositions,
    to: Math.floor(scaling.factor * maxPositions),
  }),
  inconsistency: ({ headDim }) =>
    headDim > 2 ? undefined : ["headDim", `Dynamic scaling needs more than ${headDim} per head.`],
});

/** Only slow pairs are slowed down. Source: Llama 3.1 (arXiv 2407.21783), its reference code. */
const llama3Schema = z.strictObject({
  type: z.literal("llama3"),
  factor,
  lowFrequencyFactor: z
    .number()
    .positive()
    .describe("Pairs that turn less often than this in the original length are divided by factor."),
  highFrequencyFactor: z
    .number()
    .positive()
    .describe("Pairs that turn more often than this in the original length stay as they are."),
  originalMaxPositions,
});
const llama3 = define({
  schema: llama3Schema,
  inverse: (rope, scaling: z.output<typeof llama3Schema>) => {
    const { lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    const original = scaling.originalMaxPositions ?? rope.maxPositions;
    return inverseFrequencies(rope.headDim, rope.ropeTheta).map((x) => {
      const turns = (original * x) / (2 * Math.PI);
      // How much of the pair keeps its speed; all of it from `high` turns on, nothing below `low`.
      const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return ((1 - kept) * x) / scaling.factor + kept * x;
    });
  },
  inconsistency: (_, { lowFrequencyFactor: low, highFrequencyFactor: high }) =>
    high > low
      ? undefined
      : ["ropeScaling.highFrequencyFactor", `${high} must be above lowFrequencyFactor ${low}.`],
});

/** A ramp between stretched and unstretched pairs. Source: Peng et al. 2023, arXiv 2309.00071. */
const yarnSchema = z.strictObject({
  type: z.literal("yarn"),
  factor: factor.optional(),
  originalMaxPositions,
  attentionFactor,
  betaFast: z.number().positive().default(32).describe("Turns above which a pair keeps its speed."),
  betaSlow: z.number().positive().default(1).describe("Turns below which a pair is stretched."),
  mscale: z.number().optional().describe("Weight of the logarithm in the attention factor."),
  mscaleAllDim: z.number().optional().describe("The same for its divisor (DeepSeek)."),
  truncate: z.boolean().default(true).describe("Round the ends of the ramp to whole pairs."),
});
type Yarn = z.output<typeof yarnSchema>;
const yarn = define({
  schema: yarnSchema as z.ZodType<Yarn>,
  inverse: (rope, scaling) => {
    const { headDim, ropeTheta } = rope;
    const original = scaling.originalMaxPositions ?? rope.maxPositions;
    const stretch = yarnFactor(rope, scaling);
    // The pair that makes so many turns in the original length.
    const pairOf = (turns: number) =>
      (headDim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
    const ends = [pairOf(scaling.betaFast), pairOf(scaling.betaSlow)] as const;
    const first = Math.max(0, scaling.truncate ? Math.floor(ends[0]) : ends[0]);
    const last = Math.min(headDim - 1, scaling.truncate ? Math.ceil(ends[1]) : ends[1]);
    // A ramp of no length still has to be one.
    const width = first === last ? 0.001 : last - first;
    return inverseFrequencies(headDim, ropeTheta).map((x, i) => {
      const stretched = Math.min(1, Math.max(0, (i - first) / width));
      return (stretched * x) / stretch + (1 - stretched) * x;
    });
  },
  attentionFactor: (rope, scaling) => {
    if (scaling.attentionFactor !== undefined) return scaling.attentionFactor;
    const stretch = yarnFactor(rope, scaling);
    const grown = (mscale: number) => (stretch <= 1 ? 1 : 0.1 * mscale * Math.log(stretch) + 1);
    const { mscale, mscaleAllDim } = scaling;
    return mscale && mscaleAllDim ? grown(mscale) / grown(mscaleAllDim) : grown(1);
  },
});

function yarnFactor(rope: Rope, scaling: Yarn): number {
  return scaling.factor ?? rope.maxPositions / (scaling.originalMaxPositions ?? rope.maxPositions);
}

/** Searched factors by pair, for short and long sequences. Source: arXiv 2402.13753 (LongRoPE). */
const longropeSchema = z.strictObject({
  type: z.literal("longrope"),
  shortFactor: factors.describe("Divisors up to the original length, one per pair of a head."),
  longFactor: factors.describe("Divisors above the original length, one per pair of a head."),
  factor: factor.optional(),
  originalMaxPositions,
  attentionFactor,
});
const longrope = define({
  schema: longropeSchema,
  inverse: (rope, scaling, length) => {
    const original = scaling.originalMaxPositions ?? rope.maxPositions;
    const divisors = length > original ? scaling.longFactor : scaling.shortFactor;
    const plain = inverseFrequencies(rope.headDim, rope.ropeTheta);
    return plain.map((x, i) => x / (divisors[i] as number));
  },
  attentionFactor: (rope, scaling: z.output<typeof longropeSchema>) => {
    if (scaling.attentionFactor !== undefined) return scaling.attentionFactor;
    const original = scaling.originalMaxPositions ?? rope.maxPositions;
    const stretch = scaling.factor ?? rope.maxPositions / original;
    return stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
  },
  lengths: (rope, scaling) => {
    const from = scaling.originalMaxPositions ?? rope.maxPositions;
    return { from, to: from + 1 };
  },
  inconsistency: ({ headDim }, scaling) => {
    const fields = ["shortFactor", "longFactor"] as const;
    const wrong = fields.find((field) => scaling[field].length !== headDim / 2);
    if (wrong === undefined) return undefined;
    const found = scaling[wrong].length;
    return [
      `ropeScaling.${wrong}`,
      `Heads of ${headDim} need ${headDim / 2} factors, got ${found}.`,
    ];
  },
});

const definitions = { linear, dynamic, llama3, yarn, longrope };

export const ropeScalingTypes = Object.keys(definitions) as (keyof typeof definitions)[];

/** How rotary positions are stretched, as in `rope_scaling` of a Hugging Face config. */
export const ropeScalingSchema = z.discriminatedUnion("type", [
  linearSchema,
  dynamicSchema,
  llama3Schema,
  yarnSchema,
  longropeSchema,
]);
export type RopeScaling = z.output<typeof ropeScalingSchema>;

/** The part of a model's configuration that its rotary positions follow from. */
export interface RopeConfig extends Rope {
  readonly ropeScaling: RopeScaling | null;
}

function definitionOf(scaling: RopeScaling): ScalingDefinition<RopeScaling> {
  return definitions[scaling.type] as unknown as ScalingDefinition<RopeScaling>;
}

/**
 * Lengths of a sequence over which its rotary frequencies change: those of a length outside are those
 * of the nearest end. Undefined where every length that fits has the same.
 */
export function ropeLengths(
  config: RopeConfig,
): { readonly from: number; readonly to: number } | undefined {
  const { ropeScaling: scaling } = config;
  const lengths = scaling && definitionOf(scaling).lengths?.(config, scaling);
  if (!lengths || lengths.from >= contextLength(config)) return undefined;
  return lengths;
}

/**
 * Rotary frequencies by length of the sequence: one list, or one for every length from
 * `ropeLengths(config).from` to `longest`.
 */
export function ropeFrequencies(config: RopeConfig, longest = 0): RotaryFrequencies {
  const { ropeScaling: scaling, headDim, ropeTheta } = config;
  if (!scaling) return { inverse: [inverseFrequencies(headDim, ropeTheta)], factor: 1 };
  const definition = definitionOf(scaling);
  const lengths = ropeLengths(config);
  const from = lengths?.from ?? 0;
  const to = Math.max(from, Math.min(lengths?.to ?? 0, longest));
  const inverse = Array.from({ length: to - from + 1 }, (_, i) =>
    definition.inverse(config, scaling, from + i),
  );
  return { inverse, factor: definition.attentionFactor?.(config, scaling) ?? 1 };
}

/**
 * Longest sequence in tokens: `maxPositions`, or with dynamic scaling `factor` times as many, as there
 * it is the length up to which nothing is scaled.
 */
export function contextLength(
  config: Pick<RopeConfig, "maxPositions"> & Partial<RopeConfig>,
): number {
  const { ropeScaling: scaling } = config;
  const scaled = scaling && definitionOf(scaling).contextLength?.(config as RopeConfig, scaling);
  return scaled ?? config.maxPositions;
}

/** What is wrong with a scaling across fields: `[path of the field, problem]`. */
export function ropeInconsistency(config: RopeConfig): [string, string] | undefined {
  const { ropeScaling: scaling } = config;
  return scaling ? definitionOf(scaling).inconsistency?.(config, scaling) : undefined;
}
