import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";
import { oneHot } from "../layers/one-hot.js";

interface CrossEntropyAttributes {
  readonly labelSmoothing: number;
}
type CrossEntropyInputs = { logits: tf.Tensor; labels: tf.Tensor };

/** The logit of the label, `[...]` from logits `[..., V]`. */
function labelLogits(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const V = logits.shape[logits.rank - 1] as number;
  const rowStarts = tf.range(0, labels.size, 1, "int32").mul(tf.scalar(V, "int32"));
  const positions = rowStarts.add(labels.flatten().toInt()).toInt() as tf.Tensor1D;
  return tf.gather(logits.flatten(), positions).reshape(labels.shape);
}

function compute(
  { logits, labels }: CrossEntropyInputs,
  { labelSmoothing }: CrossEntropyAttributes,
): tf.Tensor {
  const shifted = logits.sub(logits.max(-1, true));
  // The largest probability is 1 / Σ exp(shifted), so it is never below 1/V.
  const minusLogTotal = tf.softmax(shifted).max(-1).log();
  const target = labelLogits(shifted, labels);
  if (labelSmoothing === 0) return minusLogTotal.add(target).neg();
  const smoothed = target.mul(1 - labelSmoothing).add(shifted.mean(-1).mul(labelSmoothing));
  return minusLogTotal.add(smoothed).neg();
}

/** dy `[...]` to the gradient of the logits, `dy · (softmax − target)`. */
const gradient = defineKernel<CrossEntropyInputs & { dy: tf.Tensor }, CrossEntropyAttributes>(
  "PupilCrossEntropyGrad",
  ({ dy, logits, labels }, { labelSmoothing }) => {
    const V = logits.shape[logits.rank - 1] as number;
    const isLabel = oneHot(labels, V);
    const target =
      labelSmoothing === 0 ? isLabel : isLabel.mul(1 - labelSmoothing).add(labelSmoothing / V);
    return [tf.softmax(logits).sub(target).mul(dy.expandDims(-1))];
  },
);

const op = defineOp<CrossEntropyInputs, CrossEntropyAttributes>({
  name: "PupilCrossEntropy",
  reference: (inputs, { labelSmoothing }) => {
    const V = inputs.logits.shape[inputs.logits.rank - 1] as number;
    const isLabel = oneHot(inputs.labels, V);
    const target = isLabel.mul(1 - labelSmoothing).add(labelSmoothing / V);
    return tf.logSoftmax(inputs.logits).mul(target).sum(-1).neg();
  },
  forward: (inputs, attributes) => [compute(inputs, attributes)],
  gradients: (dy, { inputs }, { labelSmoothing }) => ({
    logits: () => gradient({ dy, ...inputs }, { labelSmoothing })[0] as tf.Tensor,
    labels: () => tf.zerosLike(inputs.labels).toFloat(),
  }),
});

/** For the op that computes its logits itself. */
export const crossEntropyRows = { op, gradient };

/**
 * Cross-entropy of the labels, `−log softmax(logits)[label]`, per token: logits `[B, T, V]`, labels
 * `[B, T]` int32, result `[B, T]`. With label smoothing ε the target is
 * `(1 − ε) · onehot + ε / V`, as in PyTorch.
 */
export function crossEntropyFromLogits(
  logits: tf.Tensor3D,
  labels: tf.Tensor2D,
  options: { readonly labelSmoothing?: number } = {},
): tf.Tensor2D {
  const { labelSmoothing = 0 } = options;
  return op({ logits, labels }, { labelSmoothing }) as tf.Tensor2D;
}

crossEntropyFromLogits.definition = op.definition;
