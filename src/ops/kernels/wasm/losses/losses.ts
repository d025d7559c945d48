import type * as tf from "@tensorflow/tfjs-core";
import { registerWasmKernel, rowsOf } from "../registry.js";
import { addresses } from "../layers/transformer.js";

type Info = tf.TensorInfo;

function registerCrossEntropy(): void {
  type Attributes = { labelSmoothing: number };
  registerWasmKernel<{ logits: Info; labels: Info }, Attributes>(
    "PupilCrossEntropy",
    ({ logits, labels }, { labelSmoothing }, backend) => {
      if (labels.dtype !== "int32") return undefined;
      const { rows, width } = rowsOf(logits);
      const value = backend.newTensor(labels.shape, "float32");
      const at = addresses(backend, logits, labels, value);
      backend.engine.kernels.crossEntropy(...at, rows, width, labelSmoothing);
      return value;
    },
  );
  registerWasmKernel<{ dy: Info; logits: Info; labels: Info }, Attributes>(
    "PupilCrossEntropyGrad",
    ({ dy, logits, labels }, { labelSmoothing }, backend) => {
      if (labels.dtype !== "int32") return undefined;
      const { rows, width } = rowsOf(logits);
      const out = backend.newTensor(logits.shape, "float32");
      const at = addresses(backend, dy, logits, labels, out);
      backend.engine.kernels.crossEntropyGrad(...at, rows, width, labelSmoothing, 0, 0);
      return out;
    },
  );
}

interface DivergenceAttributes {
  readonly temperature: number;
  readonly beta?: number;
  readonly normalized?: boolean;
}

/** What the kernel takes after the sizes: 1 / temperature, beta, normaliser. */
export function divergenceSettings({ temperature, beta = 0, normalized }: DivergenceAttributes) {
  return [1 / temperature, beta, normalized ? 1 / (beta * (1 - beta)) : 1] as const;
}

/** As numbered in assembly/softmax.ts. */
export const divergenceKinds: Readonly<Record<string, number>> = {
  ...{ forwardKl: 0, reverseKl: 1, generalizedJsd: 2 },
};

const kernelNames = {
  ...{ forwardKl: "PupilForwardKl", reverseKl: "PupilReverseKl" },
  generalizedJsd: "PupilGeneralizedJsd",
};

function registerDivergences(): void {
  type Inputs = { studentLogits: Info; teacherLogits: Info };
  for (const [key, name] of Object.entries(kernelNames)) {
    const kind = divergenceKinds[key] as number;
    registerWasmKernel<Inputs, DivergenceAttributes>(
      name,
      ({ studentLogits, teacherLogits }, attributes, backend) => {
        const { rows, width } = rowsOf(studentLogits);
        const value = backend.newTensor(studentLogits.shape.slice(0, -1), "float32");
        const at = addresses(backend, studentLogits, teacherLogits, value);
        backend.engine.kernels.divergence(
          kind,
          ...at,
          rows,
          width,
          ...divergenceSettings(attributes),
        );
        return value;
      },
    );
    registerWasmKernel<Inputs & { dy: Info }, DivergenceAttributes>(
      `${name}Grad`,
      ({ dy, studentLogits, teacherLogits }, attributes, backend) => {
        const { rows, width } = rowsOf(studentLogits);
        const out = backend.newTensor(studentLogits.shape, "float32");
        const at = addresses(backend, dy, studentLogits, teacherLogits, out);
        const { kernels } = backend.engine;
        kernels.divergenceGrad(kind, ...at, rows, width, ...divergenceSettings(attributes), 0, 0);
        return out;
      },
    );
  }
}

export function registerLosses(): void {
  registerCrossEntropy();
  registerDivergences();
}
