import type * as tf from "@tensorflow/tfjs-core";
import {
  attentionParameters,
  type ResidualAttentionAttributes,
  type ResidualAttentionInputs,
} from "../../../attention/residual-attention.js";
import {
  type MlpActivation,
  mlpParameters,
  type ResidualMlpAttributes,
  type ResidualMlpInputs,
} from "../../../layers/residual-mlp.js";
import { activationAt, activationFunctions } from "./activations.js";
import { attentionForward } from "../attention/attention.js";
import { attentionBackward } from "../attention/attention-gradient.js";
import { turnsHeads } from "../attention/attention-program.js";
import { columnSums } from "./column-sums.js";
import {
  gradientOfInput,
  inputGradient,
  outputsOf,
  project,
  type Projection,
  projections,
  weightGradients,
} from "./linear.js";
import { matmul } from "../matmul/matmul.js";
import type { Epilogue, MatmulJob, RowNorm } from "../matmul/matmul-job.js";
import { fusesNorm } from "../matmul/tiles.js";
import { normBackward, normForward } from "./norms.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "../programs/registry.js";
import { turn } from "../attention/rotary.js";

type Info = tf.TensorInfo;
/** The inputs of an op as a kernel sees them. */
type Infos<I> = { [K in keyof I]: Info };
type Gradients = Record<string, Info | undefined>;
type SavedByNorm = { dy: Info; normed: Info; mean?: Info; scale: Info };
type NormInputs = { x: Info; normWeight: Info; normBias?: Info };

/**
 * Products of the normed x: within the call where that is cheap, else of a norm before it. `run` gets what to multiply and the
 * norm of it, if it still is to be done.
 *
 * @returns what the norm saves, in the order of `savedByNorm`
 */
function ofNormed(
  gpu: GpuTensors,
  { x, normWeight: weight, normBias: bias }: NormInputs,
  epsilon: number,
  run: (a: Info, norm?: RowNorm) => void,
): Info[] {
  const { width } = rowsOf(x);
  if (!fusesNorm(width)) {
    const { y, mean, scale } = normForward(gpu, x, { weight, bias }, epsilon);
    run(y);
    return [y, ...(mean ? [mean] : []), scale];
  }
  const ofRows = [...x.shape.slice(0, -1), 1];
  const shapes = [x.shape, ofRows, ...(bias ? [ofRows] : [])];
  const [normed, scale, mean] = gpu.newTensors(shapes) as [Info, Info, Info?];
  run(x, { weight, bias, epsilon, normed, mean, scale });
  return [normed, ...(mean ? [mean] : []), scale];
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
  if (present.length === 0) return {};
  const sums = columnSums(
    gpu,
    present.map(([, [, dy]]) => dy),
  );
  return Object.fromEntries(present.map(([name], i) => [name, sums[i]])) as Gradients;
}

function inOrder(gradients: Gradients, parameters: readonly string[]): Info[] {
  return ["x", ...parameters].map((name) => gradients[name] as Info);
}

type MlpSaved = SavedByNorm & { gate?: Info; up: Info; activated: Info };

/** What becomes of the first product of an MLP, and of the gradient of what it gives. */
function activationEpilogues(activation: MlpActivation, isGated: boolean) {
  const functions = activationFunctions;
  if (isGated) {
    const forward: Epilogue = {
      ...{ name: "gated", reads: [], writes: ["gate", "up", "activated"], functions },
      code: "gate[at] = value; up[at] = second; activated[at] = value * sigmoid(value) * second;",
    };
    const backward: Epilogue = {
      ...{ name: "gated gradient", reads: ["gate", "up"], writes: ["dgate", "dup"], functions },
      code: `let open = sigmoid(gate[at]);
  let passed = gate[at] * open;
  dgate[at] = value * up[at] * (open + passed - passed * open);
  dup[at] = value * passed;`,
    };
    return { forward, backward };
  }
  const forward: Epilogue = {
    ...{ name: activation, reads: [], writes: ["up", "activated"], functions },
    code: `up[at] = value; activated[at] = ${activationAt(activation, "value").value};`,
  };
  const backward: Epilogue = {
    ...{ name: `${activation} gradient`, reads: ["up"], writes: ["dup"], functions },
    code: `let x = up[at]; dup[at] = value * (${activationAt(activation, "x").slope});`,
  };
  return { forward, backward };
}

function registerMlp(): void {
  registerGpuKernel<Infos<ResidualMlpInputs>, ResidualMlpAttributes>(
    "PupilResidualMlp",
    (inputs, { epsilon, activation, weightLayout }, gpu) => {
      const { x, gateWeight, gateBias, upWeight, upBias, downWeight, downBias } = inputs;
      const columns = outputsOf(upWeight, weightLayout);
      const shape = [...x.shape.slice(0, -1), columns];
      const inner = gpu.newTensors([...(gateWeight ? [shape] : []), shape, shape]);
      const { forward } = activationEpilogues(activation, gateWeight !== undefined);
      const up = { b: upWeight, bias: upBias };
      const saved = ofNormed(gpu, inputs, epsilon, (a, norm) => {
        const { rows, width } = rowsOf(a);
        const job: MatmulJob = {
          ...{ a: [a], b: [gateWeight ?? upWeight], bias: gateWeight ? gateBias : upBias },
          ...{ transposeA: false, transposeB: weightLayout === "out-in" },
          ...{ inner: [width], rows, columns },
        };
        const epilogue = { code: forward, tensors: inner };
        matmul(gpu, { jobs: [job], norm, epilogue, second: gateWeight && up });
      });
      const activated = inner.at(-1) as Info;
      const down = { weight: downWeight, bias: downBias };
      const [y] = project(gpu, activated, [down], weightLayout, x) as [Info];
      return [y, ...saved, ...inner];
    },
  );
  registerGpuKernel<Infos<ResidualMlpInputs> & MlpSaved, ResidualMlpAttributes>(
    "PupilResidualMlpGrad",
    (inputs, { activation, weightLayout }, gpu) => {
      const { dy, normed, gate, up, activated, gateWeight, upWeight, downWeight } = inputs;
      const given = gate ? [gate, up] : [up];
      const inner = gpu.newTensors(given.map(({ shape }) => shape));
      const { backward } = activationEpilogues(activation, gate !== undefined);
      matmul(gpu, {
        jobs: [inputGradient([dy], [downWeight], weightLayout)],
        epilogue: { code: backward, tensors: [...given, ...inner] },
      });
      const [dgate, dup] = gate ? (inner as [Info, Info]) : [undefined, inner[0] as Info];
      const layers = [...inner.map((d) => ({ dy: d, x: normed })), { dy, x: activated }];
      const weights = weightGradients(gpu, layers, weightLayout);
      const inputWeights = gateWeight ? [gateWeight, upWeight] : [upWeight];
      const dnormed = gpu.newTensor(normed.shape);
      const ofInput = { ...inputGradient(inner, inputWeights, weightLayout), out: dnormed };
      matmul(gpu, { jobs: [...weights, ofInput] });
      const [ofDown, ofUp, ofGate] = weights.map((job) => job.out).reverse();
      const gradients = {
        ...ofNorm(gpu, inputs, dnormed),
        ...{ gateWeight: ofGate, upWeight: ofUp, downWeight: ofDown },
        ...ofBiases(gpu, {
          ...(dgate && { gateBias: [inputs.gateBias, dgate] }),
          ...{ upBias: [inputs.upBias, dup], downBias: [inputs.downBias, dy] },
        }),
      };
      for (const { dataId } of inner) gpu.disposeData(dataId);
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

/** The tables, if queries and keys are turned where they are read: what is saved of them is not turned then. */
const tablesOf = (cos: Info | undefined, sin: Info | undefined, headDim: number) =>
  cos && sin && turnsHeads(headDim) ? { cos, sin } : undefined;

function registerAttentionBlock(): void {
  registerGpuKernel<Infos<ResidualAttentionInputs>, ResidualAttentionAttributes>(
    "PupilResidualAttention",
    (inputs, { epsilon, headDim, weightLayout }, gpu) => {
      const { x, cos, sin, keyMask, firstKeys } = inputs;
      const layers: Projection[] = [
        { weight: inputs.queryWeight, bias: inputs.queryBias },
        { weight: inputs.keyWeight, bias: inputs.keyBias },
        { weight: inputs.valueWeight, bias: inputs.valueBias },
      ];
      const projected = gpu.newTensors(
        layers.map(({ weight }) => [...x.shape.slice(0, -1), outputsOf(weight, weightLayout)]),
      );
      const saved = ofNormed(gpu, inputs, epsilon, (a, norm) =>
        matmul(gpu, { jobs: projections(a, layers, projected, weightLayout), norm }),
      );
      const [q, k, value] = projected.map((t) => asHeads(t, headDim)) as [Info, Info, Info];
      const tables = tablesOf(cos, sin, headDim);
      let [query, key] = [q, k];
      if (cos && sin && !tables) {
        [query, key] = turn(gpu, [q, k], { cos, sin }, false) as [Info, Info];
        for (const { dataId } of [q, k]) gpu.disposeData(dataId);
      }
      const scale = 1 / Math.sqrt(headDim);
      const heads = { query, key, value, keyMask, firstKeys, tables };
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
      const tables = tablesOf(cos, sin, headDim);
      const heads = {
        ...{ query, key, value, keyMask, firstKeys, tables, dy: asHeads(dattended, headDim) },
        ...{ output: asHeads(attended, headDim), logTotals: inputs.probabilities },
      };
      let [dquery, dkey, dvalue] = attentionBackward(gpu, heads, 1 / Math.sqrt(headDim));
      gpu.disposeData(dattended.dataId);
      if (cos && sin && !tables) {
        const turned = [dquery, dkey];
        [dquery, dkey] = turn(gpu, turned, { cos, sin }, true) as [Info, Info];
        for (const { dataId } of turned) gpu.disposeData(dataId);
      }
      const ds = [dquery, dkey, dvalue].map(flat) as [Info, Info, Info];
      const inner = ds.map((d) => ({ dy: d, x: normed }));
      const weights = weightGradients(gpu, [...inner, { dy, x: attended }], weightLayout);
      const dnormed = gpu.newTensor(normed.shape);
      const inputWeights = [queryWeight, keyWeight, valueWeight];
      const ofInput = { ...inputGradient(ds, inputWeights, weightLayout), out: dnormed };
      matmul(gpu, { jobs: [...weights, ofInput] });
      const [ofQuery, ofKey, ofValue, ofOutput] = weights.map((job) => job.out);
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
