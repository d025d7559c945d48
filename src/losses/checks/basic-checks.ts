import * as tf from "@tensorflow/tfjs";
import { inputsOf } from "../combine.js";
import type { LossInputs } from "../inputs.js";
import { type CheckedLoss, isMask, evaluateCase, tensorsOf, valuesOf } from "./case.js";
import { always, compare, expectFinite, type LossCheck } from "./check.js";
import { lossInputFacts } from "../inputs.js";
import { randomCase, smallSizes } from "./random-case.js";

/** `[B, T]` or `[B]` at the sizes of the checks. */
function expectedShape({ definition }: CheckedLoss): number[] {
  const { B, T } = smallSizes as { B: number; T: number };
  return definition.per === "token" ? [B, T] : [B];
}

const shapeAndMemory: LossCheck = {
  name: "gives finite float32 values of its shape and allocates exactly that tensor",
  applies: always,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const tensors = tf.tidy(() => tensorsOf(values));
    const before = tf.memory();
    const result = loss.definition.evaluate(tensors, loss.config);
    const after = tf.memory();
    const made = after.numTensors - before.numTensors;
    const buffers = after.numDataBuffers - before.numDataBuffers;
    const { shape, dtype } = result;
    tf.dispose([result, { ...tensors }]);
    const problems: string[] = [];
    if (made !== 1) problems.push(`it leaves ${made} new tensors, expected 1`);
    if (buffers !== 1) problems.push(`it leaves ${buffers} new buffers, expected 1`);
    if (dtype !== "float32") problems.push(`the values are ${dtype}`);
    problems.push(...compare("shape", shape, expectedShape(loss)));
    const { data } = await valuesOf(loss, values);
    return [...problems, ...expectFinite("values", data)];
  },
};

const declaredInputs: LossCheck = {
  name: "reads the inputs that it declares and no others",
  applies: always,
  run: (loss) => {
    const { definition, config } = loss;
    const declared = inputsOf(definition);
    const read = new Set<string>();
    const tensors = tf.tidy(() => tensorsOf(randomCase(declared, 1)));
    const watched = new Proxy(tensors, {
      get: (target, key) => {
        read.add(String(key));
        return target[key as keyof LossInputs];
      },
    });
    tf.dispose(definition.evaluate(watched, config));
    tf.dispose({ ...tensors });
    const unread = definition.needs.filter((input) => !read.has(input));
    const undeclared = [...read].filter((input) => !declared.some((name) => name === input));
    return Promise.resolve([
      ...unread.map((input) => `it needs ${input} and never reads it`),
      ...undeclared.map((input) => `it reads ${input} and does not say so`),
    ]);
  },
};

const noGradientIntoTeacher: LossCheck = {
  name: "passes no gradient into the teacher's inputs",
  applies: always,
  run: async (loss) => {
    const { gradients } = await evaluateCase(loss, randomCase(inputsOf(loss.definition), 1));
    return [...gradients].flatMap(([input, gradient]) => {
      const constant = !lossInputFacts(input).gradient && !isMask(input);
      return constant && gradient.some((g) => g !== 0) ? [`${input} gets a gradient`] : [];
    });
  },
};

export const basicChecks: readonly LossCheck[] = [
  shapeAndMemory,
  declaredInputs,
  noGradientIntoTeacher,
];
