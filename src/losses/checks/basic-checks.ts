import * as tf from "@tensorflow/tfjs-core";
import { inputsOf } from "../combine.js";
import type { LossInputs } from "../inputs.js";
import { type CheckedLoss, isMask, evaluateCase, tensorsOf, valuesOf } from "./case.js";
import { always, compare, expectFinite, type Finding, type LossCheck, wrong } from "./check.js";
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
    // The scope takes what a wrong loss leaves behind.
    const { made, buffers, shape, dtype } = tf.tidy(() => {
      const tensors = tensorsOf(values);
      const before = tf.memory();
      const result = loss.definition.evaluate(tensors, loss.config);
      const after = tf.memory();
      return {
        made: after.numTensors - before.numTensors,
        buffers: after.numDataBuffers - before.numDataBuffers,
        shape: [...result.shape],
        dtype: result.dtype as string,
      };
    });
    const findings: Finding[] = compare("shape", shape, expectedShape(loss));
    if (made !== 1)
      findings.push(wrong(`it leaves ${made} new tensors, expected 1: wrap it in tf.tidy`));
    if (buffers !== 1) findings.push(wrong(`it leaves ${buffers} new buffers, expected 1`));
    if (dtype !== "float32") findings.push(wrong(`the values are ${dtype}`));
    const { data } = await valuesOf(loss, values);
    return [...findings, ...expectFinite("values", data)];
  },
};

const declaredInputs: LossCheck = {
  name: "reads the inputs that it declares and no others",
  applies: always,
  run: (loss) => {
    const { definition, config } = loss;
    const declared = inputsOf(definition);
    const read = new Set<string>();
    tf.tidy(() => {
      const watched = new Proxy(tensorsOf(randomCase(declared, 1)), {
        get: (target, key) => {
          read.add(String(key));
          return target[key as keyof LossInputs];
        },
      });
      definition.evaluate(watched, config);
    });
    const unread = definition.needs.filter((input) => !read.has(input));
    const undeclared = [...read].filter((input) => !declared.some((name) => name === input));
    return Promise.resolve([
      ...unread.map((input) => wrong(`it needs ${input} and never reads it`)),
      ...undeclared.map((input) => wrong(`it reads ${input} and does not say so`)),
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
      return constant && gradient.some((g) => g !== 0)
        ? [wrong(`${input} gets a gradient: pass it through stopGradient`)]
        : [];
    });
  },
};

export const basicChecks: readonly LossCheck[] = [
  shapeAndMemory,
  declaredInputs,
  noGradientIntoTeacher,
];
