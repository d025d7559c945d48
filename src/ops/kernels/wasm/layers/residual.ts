import type * as tf from "@tensorflow/tfjs-core";
import {
  attentionParameters,
  type ResidualAttentionAttributes,
  type ResidualAttentionInputs,
} from "../../../attention/residual-attention.js";
import {
  mlpParameters,
  type ResidualMlpAttributes,
  type ResidualMlpInputs,
} from "../../../layers/residual-mlp.js";
import type { KernelExports } from "../engine/exports.js";
import { AffineProduct } from "./products.js";
import { registerWasmKernel, rowsOf, sizeOf, type WasmTensors } from "../registry.js";
import { Scratch } from "../engine/scratch.js";
import { ACTIVATION } from "./transformer.js";

type Info = tf.TensorInfo;
/** The inputs of an op as a kernel sees them. */
type Infos<I> = { [K in keyof I]: Info };
const ADD = 0;

/** What both blocks do around their middle: the norm in front, the residual connection at the end. */
class Residual {
  readonly kernels: KernelExports;
  readonly rows: number;
  readonly width: number;
  private readonly backend: WasmTensors;
  private readonly given: { x: Info; normWeight: Info; normBias?: Info };

  constructor(backend: WasmTensors, given: Residual["given"]) {
    ({ rows: this.rows, width: this.width } = rowsOf(given.x));
    this.kernels = backend.engine.kernels;
    this.backend = backend;
    this.given = given;
  }

  at(tensor: Info | undefined): number {
    return tensor ? this.backend.address(tensor) : 0;
  }

  /** A new tensor like x, but this wide. */
  wide(width: number): Info {
    return this.backend.newTensor([...this.given.x.shape.slice(0, -1), width], "float32");
  }

  /** What the norm saves, in the order of `savedByNorm`. */
  norm(epsilon: number): [normed: Info, ...statistics: Info[]] {
    const { x, normWeight, normBias } = this.given;
    const normed = this.wide(this.width);
    const mean = normBias && this.wide(1);
    const scale = this.wide(1);
    this.kernels.normForward(
      ...([this.at(x), this.at(normWeight), this.at(normBias), this.at(normed)] as const),
      ...([this.at(mean), this.at(scale), this.rows, this.width, epsilon] as const),
    );
    return [normed, ...(mean ? [mean] : []), scale];
  }

  addTo(out: Info, other: Info): Info {
    const address = this.at(out);
    this.kernels.binary(ADD, address, this.at(other), address, this.rows * this.width);
    return out;
  }

  /** Gradients of x and of the norm's parameters, from those of the value and, by address, of the normed x. */
  normGradients(dy: Info, dnormed: number, saved: { mean?: Info; scale: Info }): Gradients {
    const { x, normWeight, normBias } = this.given;
    const dx = this.wide(this.width);
    const [dweight, dbias] = [normWeight, normBias].map((t) => t && like(this.backend, t));
    this.kernels.normBackward(
      ...([
        dnormed,
        this.at(x),
        this.at(normWeight),
        this.at(saved.mean),
        this.at(saved.scale),
      ] as const),
      ...([this.at(dx), this.at(dweight), this.at(dbias), this.rows, this.width] as const),
    );
    return { x: this.addTo(dx, dy), normWeight: dweight, ...(dbias && { normBias: dbias }) };
  }
}

type Gradients = Record<string, Info | undefined>;

function like(backend: WasmTensors, { shape }: Info): Info {
  return backend.newTensor([...shape], "float32");
}

/** Gradients as outputs, that of x first. */
function inOrder(gradients: Gradients, parameters: readonly string[]): Info[] {
  return ["x", ...parameters].map((name) => gradients[name] as Info);
}

type MlpSaved = { dy: Info; normed: Info; mean?: Info; scale: Info } & {
  gate?: Info;
  up: Info;
  activated: Info;
};

const activations = {
  silu: [ACTIVATION.silu, ACTIVATION.siluGrad],
  "gelu-tanh": [ACTIVATION.geluTanh, ACTIVATION.geluTanhGrad],
  "gelu-erf": [ACTIVATION.geluErf, ACTIVATION.geluErfGrad],
} as const;

function registerMlp(): void {
  type Inputs = Infos<ResidualMlpInputs>;
  type Attributes = ResidualMlpAttributes;
  registerWasmKernel<Inputs, Attributes>("PupilResidualMlp", (inputs, attributes, backend) => {
    const { epsilon, activation, weightLayout } = attributes;
    const residual = new Residual(backend, inputs);
    const { kernels, rows } = residual;
    const product = new AffineProduct(backend, weightLayout, rows);
    const saved = residual.norm(epsilon);
    const from = residual.at(saved[0]);
    const size = product.outputs(inputs.upWeight);
    const up = residual.wide(size);
    product.forward(from, inputs.upWeight, inputs.upBias, residual.at(up));
    const activated = residual.wide(size);
    const [a, y] = [residual.at(up), residual.at(activated)];
    const { gateWeight } = inputs;
    const gate = gateWeight && residual.wide(size);
    if (gate) {
      product.forward(from, gateWeight, inputs.gateBias, residual.at(gate));
      kernels.activation(ACTIVATION.swiglu, residual.at(gate), a, 0, y, 0, rows * size);
    } else kernels.activation(activations[activation][0], a, 0, 0, y, 0, rows * size);
    const out = residual.wide(residual.width);
    product.forward(y, inputs.downWeight, inputs.downBias, residual.at(out));
    residual.addTo(out, inputs.x);
    return [out, ...saved, ...(gate ? [gate] : []), up, activated];
  });
  registerWasmKernel<Inputs & MlpSaved, Attributes>(
    "PupilResidualMlpGrad",
    (inputs, { activation, weightLayout }, backend) => {
      const residual = new Residual(backend, inputs);
      const { kernels, rows, width } = residual;
      const { dy, gate, upWeight, gateWeight } = inputs;
      using scratch = new Scratch(backend.engine);
      const product = new AffineProduct(backend, weightLayout, rows);
      const size = product.outputs(upWeight);
      const [x, up] = [residual.at(inputs.normed), residual.at(inputs.up)];
      const hidden = () => scratch.allocate(4 * rows * size);
      // In place: of what is activated, then of what comes out of the last product before it.
      const [dfirst, dup] = [hidden(), gate ? hidden() : 0];
      const dnormed = scratch.allocate(4 * rows * width);
      const down = { weight: inputs.downWeight, bias: inputs.downBias };
      product.gradientOfInput(residual.at(dy), down.weight, dfirst);
      const [downWeight, downBias] = product.parameterGradients(
        residual.at(dy),
        residual.at(inputs.activated),
        down,
      );
      const all: Gradients = { downWeight, downBias };
      if (gate && gateWeight) {
        const { swigluGrad } = ACTIVATION;
        kernels.activation(swigluGrad, residual.at(gate), up, dfirst, dfirst, dup, rows * size);
        const given = { weight: gateWeight, bias: inputs.gateBias };
        [all["gateWeight"], all["gateBias"]] = product.parameterGradients(dfirst, x, given);
        product.gradientOfInput(dfirst, given.weight, dnormed);
      } else kernels.activation(activations[activation][1], up, 0, dfirst, dfirst, 0, rows * size);
      const ofUp = gate ? dup : dfirst;
      const given = { weight: upWeight, bias: inputs.upBias };
      [all["upWeight"], all["upBias"]] = product.parameterGradients(ofUp, x, given);
      product.gradientOfInput(ofUp, upWeight, dnormed, gate !== undefined);
      Object.assign(all, residual.normGradients(dy, dnormed, inputs));
      return inOrder(all, mlpParameters(inputs as unknown as ResidualMlpInputs));
    },
  );
}

type AttentionSaved = Record<"dy" | "normed" | "scale" | "query" | "key" | "value", Info> & {
  mean?: Info;
  probabilities: Info;
  attended: Info;
};
const projections = ["query", "key", "value"] as const;

function registerAttentionBlock(): void {
  type Inputs = Infos<ResidualAttentionInputs>;
  type Attributes = ResidualAttentionAttributes;
  const weightOf = (inputs: Inputs, name: (typeof projections)[number] | "output") => ({
    weight: inputs[`${name}Weight`],
    bias: inputs[`${name}Bias`],
  });
  registerWasmKernel<Inputs, Attributes>(
    "PupilResidualAttention",
    (inputs, { epsilon, headDim, weightLayout }, backend) => {
      const { x, keyMask, firstKeys, cos, sin } = inputs;
      if (keyMask !== undefined && keyMask.dtype !== "float32") return undefined;
      const [B, T] = x.shape as [number, number];
      const residual = new Residual(backend, inputs);
      const { kernels } = residual;
      const product = new AffineProduct(backend, weightLayout, residual.rows);
      const saved = residual.norm(epsilon);
      const from = residual.at(saved[0]);
      const heads = projections.map((name) => {
        const { weight, bias } = weightOf(inputs, name);
        const count = product.outputs(weight) / headDim;
        const out = backend.newTensor([B, T, count, headDim], "float32");
        const at = residual.at(out);
        product.forward(from, weight, bias, at);
        if (cos && sin && name !== "value") {
          kernels.rotary(at, residual.at(cos), residual.at(sin), at, B * T, count, headDim / 2, 1);
        }
        return out;
      }) as [Info, Info, Info];
      const [query, key, value] = heads;
      const [H, K] = [query.shape[2] as number, key.shape[2] as number];
      const attended = residual.wide(H * headDim);
      const probabilities = backend.newTensor([B, H, T, T], "float32");
      kernels.attention(
        ...([residual.at(query), residual.at(key), residual.at(value)] as const),
        ...([residual.at(keyMask), residual.at(firstKeys)] as const),
        ...([residual.at(attended), residual.at(probabilities)] as const),
        ...([B, T, T, H, K, headDim, 1 / Math.sqrt(headDim)] as const),
      );
      const out = residual.wide(residual.width);
      const { weight, bias } = weightOf(inputs, "output");
      product.forward(residual.at(attended), weight, bias, residual.at(out));
      residual.addTo(out, x);
      return [out, ...saved, ...heads, probabilities, attended];
    },
  );
  registerWasmKernel<Inputs & AttentionSaved, Attributes>(
    "PupilResidualAttentionGrad",
    (inputs, { headDim, weightLayout }, backend) => {
      const { dy, query, key, value, probabilities, attended, firstKeys, cos, sin } = inputs;
      const [B, T, H] = query.shape as [number, number, number];
      const K = key.shape[2] as number;
      const residual = new Residual(backend, inputs);
      const { kernels, rows, width } = residual;
      using scratch = new Scratch(backend.engine);
      const product = new AffineProduct(backend, weightLayout, rows);
      const dattended = scratch.allocate(4 * sizeOf(attended.shape));
      const output = weightOf(inputs, "output");
      product.gradientOfInput(residual.at(dy), output.weight, dattended);
      const [outputWeight, outputBias] = product.parameterGradients(
        residual.at(dy),
        residual.at(attended),
        output,
      );
      const ofHeads = [query, key, value].map((t) => scratch.allocate(4 * sizeOf(t.shape)));
      const bytes = kernels.attentionBlockBytes(T) * B * K;
      kernels.attentionGrad(
        ...([dattended, residual.at(query), residual.at(key), residual.at(value)] as const),
        ...([residual.at(probabilities), residual.at(firstKeys)] as const),
        ...(ofHeads as [number, number, number]),
        bytes > 0 ? scratch.allocate(bytes) : 0,
        ...([B, T, T, H, K, headDim, 1 / Math.sqrt(headDim)] as const),
      );
      const all: Gradients = { outputWeight, outputBias };
      const dnormed = scratch.allocate(4 * rows * width);
      for (const [i, name] of projections.entries()) {
        const d = ofHeads[i] as number;
        if (cos && sin && name !== "value") {
          const count = name === "query" ? H : K;
          kernels.rotary(d, residual.at(cos), residual.at(sin), d, rows, count, headDim / 2, -1);
        }
        const given = weightOf(inputs, name);
        [all[`${name}Weight`], all[`${name}Bias`]] = product.parameterGradients(
          d,
          residual.at(inputs.normed),
          given,
        );
        product.gradientOfInput(d, given.weight, dnormed, i > 0);
      }
      Object.assign(all, residual.normGradients(dy, dnormed, inputs));
      return inOrder(all, attentionParameters(inputs as unknown as ResidualAttentionInputs));
    },
  );
}

/** Whole blocks: one op where there were a dozen. Between their kernels little JavaScript runs, and nothing is recorded. */
export function registerResidualBlocks(): void {
  registerMlp();
  registerAttentionBlock();
}
