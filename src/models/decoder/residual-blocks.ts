import type * as tf from "@tensorflow/tfjs-core";
import {
  residualAttention,
  type ResidualAttentionInputs,
  residualMlp,
  type ResidualMlpInputs,
} from "../../ops/index.js";
import { isRecording } from "../../tensors/index.js";
import {
  activationKinds,
  applyAttention,
  applyMlp,
  applyNorm,
  type AttentionInputs,
  type LayerContext,
} from "./layers.js";
import type { AffineSpec, BlockSpec, ParameterSpec } from "./layout.js";

/**
 * Whether one op may stand for all that is computed with these parameters: no adapter adds to them, and, if
 * there will be a gradient, it is wanted of all of them.
 */
function areWhole(context: LayerContext, specs: readonly AffineSpec[]): boolean {
  const isWhole = (spec: ParameterSpec) =>
    context.adapters.layerOf(spec.name) === undefined &&
    (!isRecording() || (context.parameter(spec) as tf.Variable).trainable);
  return specs.every(({ weight, bias }) => isWhole(weight) && (!bias || isWhole(bias)));
}

/** `{ <name>Weight, <name>Bias? }` of every projection. */
function named(
  context: LayerContext,
  specs: Readonly<Record<string, AffineSpec | undefined>>,
): Record<string, tf.Tensor> {
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (spec) tensors[`${name}Weight`] = context.parameter(spec.weight);
    if (spec?.bias) tensors[`${name}Bias`] = context.parameter(spec.bias);
  }
  return tensors;
}

/** `x + attention(norm(x))` of one block, as one op where nobody looks inside or adds to it. */
export function addAttention(
  context: LayerContext,
  block: BlockSpec,
  layer: number,
  x: tf.Tensor3D,
  inputs: AttentionInputs,
): tf.Tensor3D {
  const { attentionNorm: norm, attentionOutput: output, attentionInputs } = block;
  const { rotaryTables, keyMask, firstKeys, cache, observer } = inputs;
  const isSimple = attentionInputs.length === 3 && !block.queryNorm && !cache && !observer;
  if (!isSimple || !areWhole(context, [norm, output, ...attentionInputs])) {
    const normed = applyNorm(context, norm, x) as tf.Tensor3D;
    return x.add(applyAttention(context, block, layer, normed, inputs));
  }
  const [query, key, value] = attentionInputs;
  const { normEpsilon: epsilon, headDim } = context.config;
  const { weightLayout } = context.family;
  const tensors = {
    x,
    ...named(context, { norm, query, key, value, output }),
    ...rotaryTables,
    ...(keyMask && { keyMask }),
    ...(firstKeys && { firstKeys }),
  };
  return residualAttention(tensors as unknown as ResidualAttentionInputs, {
    ...{ epsilon, headDim, weightLayout },
  });
}

/** `x + mlp(norm(x))` of one block, as one op where no adapter adds to it. */
export function addMlp(context: LayerContext, block: BlockSpec, x: tf.Tensor3D): tf.Tensor3D {
  const { mlpNorm: norm, mlpInputs, mlpOutput: down } = block;
  if (!areWhole(context, [norm, down, ...mlpInputs])) {
    const normed = applyNorm(context, norm, x) as tf.Tensor3D;
    return x.add(applyMlp(context, block, normed));
  }
  const [first, second] = mlpInputs;
  const [gate, up] = second ? [first, second] : [undefined, first];
  const { normEpsilon: epsilon, activation } = context.config;
  const tensors = { x, ...named(context, { norm, gate, up, down }) };
  return residualMlp(tensors as unknown as ResidualMlpInputs, {
    ...{ epsilon, weightLayout: context.family.weightLayout },
    activation: activationKinds[activation],
  }) as tf.Tensor3D;
}
