import { inputsOf } from "../combine.js";
import type { LossDefinition } from "../define.js";
import { type LossInput, lossInputFacts } from "../inputs.js";
import { rowWeights } from "../reduce.js";
import {
  axisOf,
  type CheckedLoss,
  entriesOf,
  evaluateCase,
  isMask,
  type LossArray,
  type LossCase,
  mapCase,
  reindex,
  reindexArray,
  sizeOf,
  trainedInputs,
  valuesOf,
} from "./case.js";
import { always, compare, expectFinite, type Finding, type LossCheck } from "./check.js";
import { randomCase } from "./random-case.js";

const masksOf = (definition: LossDefinition) => inputsOf(definition).filter(isMask);
const readsMasks = (definition: LossDefinition) => masksOf(definition).length > 0;
const isPerToken = ({ per }: LossDefinition) => per === "token";

/** The mask of an input within the case, spread over the input's entries; 1 where it has none. */
function maskOf(values: LossCase, input: LossInput): (entry: number) => number {
  const { maskedBy } = lossInputFacts(input);
  const mask = maskedBy && values[maskedBy];
  if (maskedBy === undefined || mask === undefined) return () => 1;
  const { shape, data } = values[input] as LossArray;
  const [rows = 0, width = 0] = mask.shape;
  const [, letter] = lossInputFacts(maskedBy).shape.split(" ");
  const inner = sizeOf(shape.slice(axisOf(input, letter as string) + 1));
  return (entry) => {
    const row = Math.floor((entry * rows) / data.length);
    return mask.data[row * width + (Math.floor(entry / inner) % width)] as number;
  };
}

/** Puts other numbers, most of them large, wherever `isMasked` says. */
function spoil(values: LossCase, isMasked: (input: LossInput, entry: number) => boolean): LossCase {
  const others = randomCase(
    entriesOf(values).map(([input]) => input),
    77,
    sizesOf(values),
  );
  return mapCase(values, (array, input) => {
    const { data } = others[input] as LossArray;
    const isProbability = input.endsWith("Attentions");
    const factor = array.data instanceof Int32Array || isProbability ? 1 : 8;
    const spoilt = array.data.map((x, i) =>
      isMasked(input, i) ? factor * (data[i] as number) : x,
    );
    return { shape: array.shape, data: spoilt };
  });
}

function sizesOf(values: LossCase): Record<string, number> {
  const sizes = entriesOf(values).flatMap(([input, { shape }]) => {
    const letters = lossInputFacts(input).shape.split(" ");
    return letters.map((letter, axis) => [letter, shape[axis] as number] as const);
  });
  return Object.fromEntries(sizes);
}

const maskedPositions: LossCheck = {
  name: "lets a masked position contribute exactly nothing",
  applies: isPerToken,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const [B, T] = (await valuesOf(loss, values)).shape as [number, number];
    const weights = Float32Array.from({ length: B * T }, (_, i) => (i % 3 === 1 ? 0 : 1 + i / 8));
    const isMasked = (input: LossInput, entry: number) => {
      const { shape, data } = values[input] as LossArray;
      const row = Math.floor((entry * B) / data.length);
      const position = Math.floor(entry / sizeOf(shape.slice(axisOf(input, "T") + 1))) % T;
      return weights[row * T + position] === 0;
    };
    return compareSpoilt(loss, values, isMasked, weights);
  },
};

const maskedEntries: LossCheck = {
  name: "lets what its own masks leave out contribute exactly nothing",
  applies: readsMasks,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const isMasked = (input: LossInput, entry: number) => maskOf(values, input)(entry) === 0;
    return compareSpoilt(loss, values, isMasked);
  },
};

/** Other numbers in the masked entries: the same values and gradients, and none for the masked. */
async function compareSpoilt(
  loss: CheckedLoss,
  values: LossCase,
  isMasked: (input: LossInput, entry: number) => boolean,
  weights?: Float32Array,
): Promise<Finding[]> {
  const spoilt = spoil(values, isMasked);
  const before = await evaluateCase(loss, values, weights);
  const after = await evaluateCase(loss, spoilt, weights);
  const counted = (data: Float32Array | Int32Array) =>
    weights ? data.map((v, i) => (weights[i] === 0 ? 0 : v)) : data;
  return [
    ...compare("values", counted(after.values.data), counted(before.values.data)),
    ...trainedInputs(loss.definition).flatMap((input) => {
      const wanted = before.gradients.get(input)?.map((g, i) => (isMasked(input, i) ? 0 : g));
      const found = after.gradients.get(input) as Float32Array;
      return compare(`gradient of ${input}`, found, wanted as Float32Array);
    }),
  ];
}

const padding: LossCheck = {
  name: "does not change when padding is appended",
  applies: (definition) => isPerToken(definition) || readsMasks(definition),
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const before = await valuesOf(loss, values);
    const letters = isPerToken(loss.definition)
      ? ["T"]
      : masksOf(loss.definition).map((mask) => lossInputFacts(mask).shape.split(" ")[1] as string);
    const padded = letters.reduce(padAxis, values);
    const after = await valuesOf(loss, padded);
    const [, T] = before.shape;
    const kept = isPerToken(loss.definition) ? reindexArray(after, 1, [...Array(T).keys()]) : after;
    return compare("values", kept.data, before.data, { absolute: 1e-6 });
  },
};

/** Appends two entries along an axis, other numbers and masked; nothing attends to them. */
function padAxis(values: LossCase, letter: string): LossCase {
  const size = sizesOf(values)[letter] as number;
  const order = [...Array(size).keys(), 0, size - 1];
  return mapCase(reindex(values, letter, order), (array, input) => {
    const isAttention = lossInputFacts(input).shape.endsWith(`${letter} ${letter}`);
    const isMaskHere = isMask(input) && axisOf(input, letter) >= 0;
    if (!isAttention && !isMaskHere) return array;
    return { shape: array.shape, data: array.data.map((m, i) => (i % (size + 2) < size ? m : 0)) };
  });
}

const nothingCounts: LossCheck = {
  name: "is finite, and 0 by its own masks, with a gradient of 0 when everything is masked",
  applies: always,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const masked = mapCase(values, (array, input) =>
      isMask(input) ? { ...array, data: array.data.map(() => 0) } : array,
    );
    const { data } = await valuesOf(loss, masked);
    const ownMasks = readsMasks(loss.definition);
    const weights = ownMasks ? undefined : new Float32Array(data.length);
    const { gradients } = await evaluateCase(loss, masked, weights);
    return [
      ...(ownMasks
        ? compare("values", data, new Float32Array(data.length))
        : expectFinite("values", data)),
      ...trainedInputs(loss.definition).flatMap((input) => {
        const gradient = gradients.get(input) as Float32Array;
        const isMaskedHere = !ownMasks || maskOf(masked, input)(0) === 0;
        const zeros = new Float32Array(gradient.length);
        return isMaskedHere
          ? compare(`gradient of ${input}`, gradient, zeros)
          : expectFinite(`gradient of ${input}`, gradient);
      }),
    ];
  },
};

const accumulation: LossCheck = {
  name: "has the same mean and gradient over one batch of 8 as over 8 batches of 1",
  applies: ({ properties }) => properties.comparesRows !== true,
  run: async (loss) => {
    const { definition, config } = loss;
    const values = randomCase(inputsOf(definition), 1, { B: 8 });
    const whole = await valuesOf(loss, values);
    const width = whole.data.length / 8;
    // Rows of unequal length, one of them empty.
    const tokens = Array.from({ length: 8 }, (_, row) => (row === 3 ? 0 : 1 + (row % width)));
    const aggregation = definition.aggregation?.(config) ?? "token";
    const reduction = rowWeights(definition.per, aggregation, tokens);
    const weights = whole.data.map((_, i) => {
      const row = Math.floor(i / width);
      const counts = i % width < (tokens[row] as number);
      return counts ? (reduction.weights[row] as number) / reduction.count : 0;
    }) as Float32Array;
    const mean = sumOf(whole.data, weights);
    const { gradients } = await evaluateCase(loss, values, weights);
    let meanOfParts = 0;
    const parts: ReadonlyMap<LossInput, Float32Array>[] = [];
    for (let row = 0; row < 8; row++) {
      const part = reindex(values, "B", [row]);
      const partWeights = weights.slice(row * width, (row + 1) * width);
      const evaluation = await evaluateCase(loss, part, partWeights);
      meanOfParts += sumOf(evaluation.values.data, partWeights);
      parts.push(evaluation.gradients);
    }
    const bounds = { absolute: 1e-6, relative: 1e-5 };
    return [
      ...compare("mean", [meanOfParts], [mean], bounds),
      ...trainedInputs(definition).flatMap((input) => {
        const joined = parts.flatMap((gradient) => [...(gradient.get(input) as Float32Array)]);
        return compare(
          `gradient of ${input}`,
          joined,
          gradients.get(input) as Float32Array,
          bounds,
        );
      }),
    ];
  },
};

function sumOf(values: ArrayLike<number>, weights: Float32Array): number {
  return weights.reduce((sum, w, i) => sum + (w === 0 ? 0 : w * (values[i] as number)), 0);
}

export const maskingChecks: readonly LossCheck[] = [
  maskedPositions,
  maskedEntries,
  padding,
  nothingCounts,
  accumulation,
];
