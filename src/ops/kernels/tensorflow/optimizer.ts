import * as tf from "@tensorflow/tfjs-core";
import {
  type AdamwAttributes,
  type AdamwTensors,
  biasCorrections,
} from "../../optimizer/adamw-update.js";
import { registerOpKernel } from "../../define.js";
import { type Library, runLibrary } from "./library.js";

/** What is the same for every parameter, made once for all of them. */
function constantsOf(library: Library, attributes: AdamwAttributes) {
  const { beta1, beta2, epsilon } = attributes;
  const { rate, unbias } = biasCorrections(attributes);
  return {
    beta1: library.scalar(beta1),
    beta2: library.scalar(beta2),
    rest1: library.scalar(1 - beta1),
    rest2: library.scalar(1 - beta2),
    unbias: library.scalar(unbias),
    epsilon: library.scalar(epsilon),
    rate: library.scalar(rate),
  };
}

/** The arithmetic of the composed kernel, in its order. */
function adamw(tensors: AdamwTensors, attributes: AdamwAttributes): tf.Tensor[] {
  return runLibrary(tf.backend(), (library) => {
    const run = library.run.bind(library);
    const constants = constantsOf(library, attributes);
    const { beta1, beta2, rest1, rest2, unbias, epsilon, rate } = constants;
    const gradientScale = library.input(tensors.gradientScale);
    const kept = library.size;
    return attributes.weightDecays.flatMap((weightDecay, i) => {
      const get = (name: string) => library.input(tensors[`${name}${i}`] as tf.Tensor);
      const g = run("Mul", get("gradient"), gradientScale);
      const first = run("AddV2", run("Mul", get("firstMoment"), beta1), run("Mul", g, rest1));
      const second = run(
        "AddV2",
        run("Mul", get("secondMoment"), beta2),
        run("Mul", run("Square", g), rest2),
      );
      const root = run("AddV2", run("Mul", run("Sqrt", second), unbias), epsilon);
      const change = run("Mul", run("RealDiv", first, root), rate);
      const decay = library.scalar(1 - attributes.learningRate * weightDecay);
      const next = run("Sub", run("Mul", get("parameter"), decay), change);
      const outputs = [next, first, second].map((handle) => library.output(handle));
      // Else the intermediates of all parameters would lie in memory together.
      library.free(kept);
      return outputs;
    });
  });
}

/** `√Σ x²` by TensorFlow's own half sum of squares, one op for each tensor. */
function globalNorm(tensors: Record<string, tf.Tensor>): tf.Tensor {
  return runLibrary(tf.backend(), (library) => {
    const halves = Object.values(tensors).map((t) => library.run("L2Loss", library.input(t)));
    const [half] = halves as [(typeof halves)[number]];
    const sum = library.runWith(
      "AddN",
      [library.integer("N", halves.length), library.type("T", half.dtype)],
      halves,
    );
    const squares = library.run("AddV2", sum, sum);
    return library.output(library.run("Sqrt", squares));
  });
}

export function registerOptimizer(): void {
  registerOpKernel<AdamwTensors, AdamwAttributes>("PupilAdamwUpdate", "tensorflow", adamw);
  registerOpKernel<Record<string, tf.Tensor>, object>(
    "PupilGlobalNorm",
    "tensorflow",
    (tensors) => [globalNorm(tensors)],
  );
}
