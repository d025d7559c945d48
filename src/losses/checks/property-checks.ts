import { inputsOf } from "../combine.js";
import { type LossInput, lossInputFacts } from "../inputs.js";
import {
  axisOf,
  evaluateCase,
  type LossArray,
  type LossCase,
  mapCase,
  trainedInputs,
  valuesOf,
} from "./case.js";
import { compare, type LossCheck } from "./check.js";
import { randomCase } from "./random-case.js";

const rows = 60;

const neverNegative: LossCheck = {
  name: "is never negative",
  applies: ({ properties }) => properties.nonNegative === true,
  run: async (loss) => {
    const { data } = await valuesOf(loss, randomCase(inputsOf(loss.definition), 4, { B: rows }));
    const least = Math.min(...data);
    // Rounding of a sum of terms of both signs.
    return least >= -1e-6 ? [] : [`a value is ${least}`];
  },
};

const zeroAtTheTeacher: LossCheck = {
  name: "has value 0 and gradient 0 where the student equals the teacher",
  applies: ({ properties }) => properties.zeroWhenStudentEqualsTeacher === true,
  run: async (loss) => {
    const values = atTheTeacher(randomCase(inputsOf(loss.definition), 1));
    const { values: found, gradients } = await evaluateCase(loss, values);
    const { data } = found;
    const zeros = (numbers: ArrayLike<number>) => new Float32Array(numbers.length);
    return [
      ...compare("values", data, zeros(data), { absolute: 1e-6 }),
      ...trainedInputs(loss.definition).flatMap((input) => {
        const gradient = gradients.get(input) as Float32Array;
        return compare(`gradient of ${input}`, gradient, zeros(gradient), { absolute: 1e-6 });
      }),
    ];
  },
};

/** Every input of the student replaced by what it is held against. */
function atTheTeacher(values: LossCase): LossCase {
  return mapCase(values, (array, input) => {
    const { counterpart } = lossInputFacts(input);
    return (counterpart && values[counterpart]) ?? array;
  });
}

const shiftInvariant: LossCheck = {
  name: "does not change when a constant is added to the logits of a position",
  applies: ({ properties }) => properties.shiftInvariant === true,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const shifted = mapCase(values, (array, input) => shift(array, input));
    const [before, after] = [await evaluateCase(loss, values), await evaluateCase(loss, shifted)];
    return [
      ...compare("values", after.values.data, before.values.data, { absolute: 1e-5 }),
      ...trainedInputs(loss.definition).flatMap((input) => {
        const expected = before.gradients.get(input) as Float32Array;
        const actual = after.gradients.get(input) as Float32Array;
        return compare(`gradient of ${input}`, actual, expected, { absolute: 1e-5 });
      }),
    ];
  },
};

const shiftedInputs: readonly LossInput[] = [
  "studentLogits",
  "teacherLogits",
  "studentScores",
  "teacherScores",
];

/** Adds another constant to every distribution or list, the student's other than the teacher's. */
function shift(array: LossArray, input: LossInput): LossArray {
  if (!shiftedInputs.includes(input)) return array;
  const { shape, data } = array;
  const axis = Math.max(axisOf(input, "V"), axisOf(input, "N"));
  const width = shape[axis] as number;
  const factor = lossInputFacts(input).gradient ? 1 : -2;
  return {
    shape,
    data: Float32Array.from(data, (x, i) => x + factor * (1 + Math.floor(i / width))),
  };
}

export const propertyChecks: readonly LossCheck[] = [
  neverNegative,
  zeroAtTheTeacher,
  shiftInvariant,
];
