import type * as tf from "@tensorflow/tfjs-core";
import {
  attentionParameters,
  type ResidualAttentionAttributes,
  type ResidualAttentionInputs,
} from "../../residual-attention.js";
import {
  mlpParameters,
  type ResidualMlpAttributes,
  type ResidualMlpInputs,
} from "../../residual-mlp.js";
import { activationAt, elementwise, swigluBackward } from "./activations.js";
import { attentionBackward, attentionForward } from "./attention.js";
import { columnSums } from "./column-sums.js";
import { gradientOfInput, gradientsOfWeights, project } from "./linear.js";
import { normBackward, normForward } from "./norms.js";
import { type GpuTensors, registerGpuKernel } from "./registry.js";
import { turn } from "./rotary.js";

type Info = tf.TensorInfo;
/** The inputs of an op as a kernel sees them. */
type Infos<I> = { [K in keyof I]: Info };
type Gradients = Record<string, Info | undefined>;
type SavedByNorm = { dy: Info; normed: Info; mean?: Info; scale: Info };

/** The norm in front of a block: what it saves, in the order of `savedByNorm`. */
function norm(
  gpu: GpuTensors,
  given: { x: Info; normWeight: Info; normBias?: Info },
  epsilon: number,
) {
  const affine = { weight: given.normWeight, bias: given.normBias };
  const { y, mean, scale } = normForward(gpu, given.x, affine, epsilon);
  return [y, ...(mean ? [mean] : []), scale] as [Info, ...Info[]];
}

/** Gradients of x, through the block and past it, and of the norm's parameters. */
function ofNorm(
  gpu: GpuTensors,
  { dy, x, normWeight, mean, scale }: SavedByNorm & { x: Info; normWeight: Info },
  dnormed: Info,
): Gradients {
  const given = { dy: dnormed, x, residual: dy };
  const { dx, dweight, dbias } = normBackward(gpu, given, normWeight, { mean, scale });
  gpu.disposeData(dnormed.dataId);
  return { x: dx, normWeight: dweight, normBias: dbias };
}

/** The gradients of biases, by name, of those layers that have one. */
function ofBiases(
  gpu: GpuTensors,
  given: Readonly<Record<string, readonly [Info | undefined, Info]>>,
) {
  const present = Object.entries(given).filter(([, [bias]]) => bias !== undefined);
  return Object.fromEntries(
    present.map(([name, [, dy]]) => [name, columnSums(gpu, [dy])[0]]),
  ) as Gradients;
}

function inOrder(gradients: Gradients, parameters: readonly string[]): Info[] {
  return ["x", ...parameters].map((name) => gradients[name] as Info);
}

type MlpSaved = SavedByNorm & { gate?: Info; up: Info; activated: Info };

function registerMlp(): void {
  registerGpuKernel<Infos<ResidualMlpInputs>, ResidualMlpAttributes>(
    "PupilResidualMlp",
    (inputs, { epsilon, activation, weightLayout }, gpu) => {
      const { x, gateWeight, gateBias, upWeight, upBias, downWeight, downBias } = inputs;
      const saved = norm(gpu, inputs, epsilon);
      const layers = [
        ...(gateWeight ? [{ weight: gateWeight, bias: gateBias }] : []),
        { weight: upWeight, bias: upBias },
      ];
      const projected = project(gpu, saved[0], layers, weightLayout);
      const activated = gpu.newTensor((projected[0] as Info).shape);
      const tensors = [...projected, activated];
      if (gateWeight) {
        const code = "y[i] = gate[i] * sigmoid(gate[i]) * up[i];";
        elementwise(gpu, "swiglu", { reads: ["gate", "up"], writes: ["y"] }, code, tensors);
      } else {
        const { value } = activationAt(activation, "x[i]");
        elementwise(gpu, activation, { reads: ["x"], writes: ["y"] }, `y[i] = ${value};`, tensors);
      }
      const down = { weight: downWeight, bias: downBias };
      const [y] = project(gpu, activated, [down], weightLayout, x) as [Info];
      return [y, ...saved, ...projected, activated];
    },
  );
  registerGpuKernel<Infos<ResidualMlpInputs> & MlpSaved, ResidualMlpAttributes>(
    "PupilResidualMlpGrad",
    (inputs, { activation, weightLayout }, gpu) => {
      const { dy, normed, gate, up, activated, gateWeight, upWeight, downWeight } = inputs;
      const dactivated = gradientOfInput(gpu, [dy], [downWeight], weightLayout);
      const dup = gpu.newTensor(up.shape);
      const dgate = gate && gpu.newTensor(up.shape);
      if (gate && dgate) {
        const arrays = { reads: ["dy", "gate", "up"], writes: ["dgate", "dup"] };
        const tensors = [dactivated, gate, up, dgate, dup];
        elementwise(gpu, "swiglu gradient", arrays, swigluBackward, tensors);
      } else {
        const code = `dx[i] = dy[i] * (${activationAt(activation, "x[i]").slope});`;
        const arrays = { reads: ["dy", "x"], writes: ["dx"] };
        elementwise(gpu, `${activation} gradient`, arrays, code, [dactivated, up, dup]);
      }
      gpu.disposeData(dactivated.dataId);
      const inner = [
        ...(dgate && gateWeight ? [{ dy: dgate, x: normed, weight: gateWeight }] : []),
        { dy: dup, x: normed, weight: upWeight },
      ];
      const weights = gradientsOfWeights(gpu, [...inner, { dy, x: activated }], weightLayout);
      const [ofDown, ofUp, ofGate] = weights.reverse();
      const dnormed = gradientOfInput(
        ...([gpu, inner.map((layer) => layer.dy), inner.map(({ weight }) => weight)] as const),
        weightLayout,
      );
      const gradients = {
        ...ofNorm(gpu, inputs, dnormed),
        ...{ gateWeight: ofGate, upWeight: ofUp, downWeight: ofDown },
        ...ofBiases(gpu, {
          ...(dgate && { gateBias: [inputs.gateBias, dgate] }),
          ...{ upBias: [inputs.upBias, dup], downBias: [inputs.downBias, dy] },
        }),
      };
      for (const layer of inner) gpu.disposeData(layer.dy.dataId);
      return inOrder(gradients, mlpParameters(inputs as unknown as ResidualMlpInputs));
    },
  );
}

type AttentionSaved = SavedByNorm & { query: Info; key: Info; value: Info } & {
  probabilities: Info;
  attended: Info;
};

const asHeads = (tensor: Info, headDim: number): Info => {
  const [B, T, width] = tensor.shape as [number, number, number];
  return { ...tensor, shape: [B, T, width / headDim, headDim] };
};
const flat = (tensor: Info): Info => {
  const [B, T, H, headDim] = tensor.shape as [number, number, number, number];
  return { ...tensor, shape: [B, T, H * headDim] };
};

function registerAttentionBlock(): void {
  registerGpuKernel<Infos<ResidualAttentionInputs>, ResidualAttentionAttributes>(
    "PupilResidualAttention",
    (inputs, { epsilon, headDim, weightLayout }, gpu) => {
      const { x, cos, sin, keyMask, firstKeys } = inputs;
      const saved = norm(gpu, inputs, epsilon);
      const layers = [
        { weight: inputs.queryWeight, bias: inputs.queryBias },
        { weight: inputs.keyWeight, bias: inputs.keyBias },
        { weight: inputs.valueWeight, bias: inputs.valueBias },
      ];
      const projected = project(gpu, saved[0], layers, weightLayout);
      const [q, k, value] = projected.map((t) => asHeads(t, headDim)) as [Info, Info, Info];
      let [query, key] = [q, k];
      if (cos && sin) {
        [query, key] = turn(gpu, [q, k], { cos, sin }, false) as [Info, Info];
        for (const { dataId } of [q, k]) gpu.disposeData(dataId);
      }
      const scale = 1 / Math.sqrt(headDim);
      const heads = { query, key, value, keyMask, firstKeys };
      const { output, logTotals } = attentionForward(gpu, heads, scale);
      const attended = flat(output);
      const layer = { weight: inputs.outputWeight, bias: inputs.outputBias };
      const [y] = project(gpu, attended, [layer], weightLayout, x) as [Info];
      return [y, ...saved, query, key, value, logTotals, attended];
    },
  );
  registerGpuKernel<Infos<ResidualAttentionInputs> & AttentionSaved, ResidualAttentionAttributes>(
    "PupilResidualAttentionGrad",
    (inputs, { headDim, weightLayout }, gpu) => {
      const { dy, normed, query, key, value, attended, cos, sin, keyMask, firstKeys } = inputs;
      const { outputWeight, queryWeight, keyWeight, valueWeight } = inputs;
      const dattended = gradientOfInput(gpu, [dy], [outputWeight], weightLayout);
      const heads = {
        ...{ query, key, value, keyMask, firstKeys, dy: asHeads(dattended, headDim) },
        ...{ output: asHeads(attended, headDim), logTotals: inputs.probabilities },
      };
      let [dquery, dkey, dvalue] = attentionBackward(gpu, heads, 1 / Math.sqrt(headDim));
      gpu.disposeData(dattended.dataId);
      if (cos && sin) {
        const turned = [dquery, dkey];
        [dquery, dkey] = turn(gpu, turned, { cos, sin }, true) as [Info, Info];
        for (const { dataId } of turned) gpu.disposeData(dataId);
      }
      const ds = [dquery, dkey, dvalue].map(flat) as [Info, Info, Info];
      const inner = ds.map((d) => ({ dy: d, x: normed }));
      const all = [...inner, { dy, x: attended }];
      const [ofQuery, ofKey, ofValue, ofOutput] = gradientsOfWeights(gpu, all, weightLayout);
      const weights = [queryWeight, keyWeight, valueWeight];
      const dnormed = gradientOfInput(gpu, ds, weights, weightLayout);
      const [dq, dk, dv] = ds;
      const gradients = {
        ...ofNorm(gpu, inputs, dnormed),
        ...{ queryWeight: ofQuery, keyWeight: ofKey, valueWeight: ofValue, outputWeight: ofOutput },
        ...ofBiases(gpu, {
          ...{ queryBias: [inputs.queryBias, dq], keyBias: [inputs.keyBias, dk] },
          ...{ valueBias: [inputs.valueBias, dv], outputBias: [inputs.outputBias, dy] },
        }),
      };
      for (const { dataId } of ds) gpu.disposeData(dataId);
      return inOrder(gradients, attentionParameters(inputs as unknown as ResidualAttentionInputs));
    },
  );
}

export function registerResidualBlocks(): void {
  registerMlp();
  registerAttentionBlock();
}
