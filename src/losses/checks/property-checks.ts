import { inputsOf } from "../combine.js";
import type { LossDefinition } from "../define.js";
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
import { compare, type LossCheck, wrong } from "./check.js";
import { randomCase } from "./random-case.js";

const rows = 60;

const neverNegative: LossCheck = {
  name: "is never negative",
  applies: ({ properties }) => properties.nonNegative === true,
  run: async (loss) => {
    const { data } = await valuesOf(loss, randomCase(inputsOf(loss.definition), 4, { B: rows }));
    const least = Math.min(...data);
    // Rounding of a sum of terms of both signs.
    if (!(least >= -1e-6)) return [wrong(`a value is ${least}`)];
    return [{ what: "values below 0", error: Math.max(0, -least) }];
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

/** How far from the teacher the student is put: near enough that a divergence rises with the distance. */
const nearness = 0.25;

/**
 * The distance falls along −gradient if the gradient g and what leads away from the teacher, s − t, point
 * the same way: d/dε ‖s − εg − t‖² = −2 g·(s − t).
 */
const descends: LossCheck = {
  name: "has a step along −gradient that brings the student nearer to the teacher",
  applies: (definition) =>
    definition.properties.zeroWhenStudentEqualsTeacher === true &&
    trainedInputs(definition).some((input) => lossInputFacts(input).counterpart !== undefined),
  run: async (loss) => {
    const random = randomCase(inputsOf(loss.definition), 5, { B: rows });
    const teacher = atTheTeacher(random);
    const near = mapCase(random, (array, input) => between(teacher[input] as LossArray, array));
    const { gradients } = await evaluateCase(loss, near);
    return trainedInputs(loss.definition).flatMap((input) => {
      const gradient = gradients.get(input) as Float32Array;
      const [s, t] = [near[input] as LossArray, teacher[input] as LossArray];
      const along = gradient.reduce(
        (sum, g, i) => sum + g * ((s.data[i] as number) - (t.data[i] as number)),
        0,
      );
      if (along > 0) return [{ what: `gradient of ${input}`, error: 0 }];
      return [
        wrong(`along −gradient ${input} moves away from the teacher (${along}): wrong sign?`),
      ];
    });
  },
};

function between(teacher: LossArray, student: LossArray): LossArray {
  if (student.data instanceof Int32Array) return student;
  const data = student.data.map((x, i) => {
    const t = teacher.data[i] as number;
    return t + nearness * (x - t);
  });
  return { shape: student.shape, data };
}

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
  descends,
  shiftInvariant,
];

/** What to say of a loss whose negative would pass every check; undefined where a check would fail. */
export function signIsUnknown({ properties }: LossDefinition): string | undefined {
  if (properties.nonNegative === true || properties.zeroWhenStudentEqualsTeacher === true) {
    return undefined;
  }
  return "Nothing here could show a wrong sign: the loss claims neither nonNegative nor zeroWhenStudentEqualsTeacher. Claim one if it is true, or give golden cases (cases=<file>).";
}
