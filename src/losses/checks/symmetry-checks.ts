import { inputsOf } from "../combine.js";
import type { LossDefinition } from "../define.js";
import { type LossInput, lossInputFacts } from "../inputs.js";
import {
  axisOf,
  type CheckedLoss,
  entriesOf,
  evaluateCase,
  type LossArray,
  type LossCase,
  mapCase,
  reindex,
  reindexArray,
  rowsOf,
  trainedInputs,
  valuesOf,
} from "./case.js";
import { always, type Bounds, compare, type LossCheck } from "./check.js";
import { randomCase } from "./random-case.js";

const hasAxis = (letter: string) => (definition: LossDefinition) =>
  inputsOf(definition).some((input) => axisOf(input, letter) >= 0);

/** The same loss on reordered inputs must give `values` and reordered gradients. */
async function compareReordered(
  loss: CheckedLoss,
  original: LossCase,
  reordered: LossCase,
  reorder: (array: LossArray, input: LossInput) => LossArray,
  reorderValues: (array: LossArray) => LossArray,
  bounds: Bounds,
): Promise<string[]> {
  const before = await evaluateCase(loss, original);
  const after = await evaluateCase(loss, reordered);
  const expected = reorderValues(before.values);
  return [
    ...compare("values", after.values.data, expected.data, bounds),
    ...trainedInputs(loss.definition).flatMap((input) => {
      const { shape } = original[input] as LossArray;
      const wanted = reorder({ shape, data: before.gradients.get(input) as Float32Array }, input);
      const found = after.gradients.get(input) as Float32Array;
      return compare(`gradient of ${input}`, found, wanted.data, bounds);
    }),
  ];
}

const rowOrder: LossCheck = {
  name: "gives the rows of a reordered batch the values that they had",
  applies: always,
  run: (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const order = [2, 0, 1];
    const reorder = (array: LossArray) => reindexArray(array, 0, order);
    const exact = loss.definition.properties.comparesRows ? { absolute: 1e-5 } : {};
    return compareReordered(loss, values, reindex(values, "B", order), reorder, reorder, exact);
  },
};

const rowsAreAlone: LossCheck = {
  name: "gives a row the same value whatever the other rows are",
  applies: ({ properties }) => properties.comparesRows !== true,
  run: async (loss) => {
    const inputs = inputsOf(loss.definition);
    const values = randomCase(inputs, 1);
    const others = randomCase(inputs, 2);
    const mixed = mapCase(values, (array, input) => {
      const other = others[input] as LossArray;
      const data = other.data.slice();
      const row = data.length / rowsOf(values);
      data.set(array.data.subarray(0, row), 0);
      return { shape: array.shape, data };
    });
    const [alone, together] = [await valuesOf(loss, values), await valuesOf(loss, mixed)];
    const width = alone.data.length / rowsOf(values);
    return compare("values", together.data.slice(0, width), alone.data.slice(0, width));
  },
};

const tokenNames: LossCheck = {
  name: "does not change when the tokens of the vocabulary are renamed",
  applies: hasAxis("V"),
  run: (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    // Token order[v] becomes token v.
    const order = [3, 0, 4, 1, 2];
    const renamed = reindex(values, "V", order);
    const relabelled = mapCase(renamed, (array, input) =>
      lossInputFacts(input).dtype === "int32"
        ? { ...array, data: array.data.map((id) => order.indexOf(id)) }
        : array,
    );
    return compareReordered(
      loss,
      values,
      relabelled,
      (array, input) => reindexArray(array, axisOf(input, "V"), order),
      (array) => array,
      { absolute: 1e-5 },
    );
  },
};

/** Entries of a set may come in any order: the teacher's top tokens, the candidates of a list. */
const setOrder = (letter: string, what: string): LossCheck => ({
  name: `does not depend on the order of ${what}`,
  applies: hasAxis(letter),
  run: (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const [, sample] = entriesOf(values).find(([input]) => axisOf(input, letter) >= 0) ?? [];
    const size = sample?.shape[sample.shape.length - 1] as number;
    const order = Array.from({ length: size }, (_, i) => (i + 1) % size);
    const reorder = (array: LossArray, input: LossInput) => {
      const axis = axisOf(input, letter);
      return axis < 0 ? array : reindexArray(array, axis, order);
    };
    const keep = (array: LossArray) => array;
    const reordered = reindex(values, letter, order);
    return compareReordered(loss, values, reordered, reorder, keep, { absolute: 1e-5 });
  },
});

export const symmetryChecks: readonly LossCheck[] = [
  rowOrder,
  rowsAreAlone,
  tokenNames,
  setOrder("K", "the teacher's tokens"),
  setOrder("N", "the candidates"),
];
