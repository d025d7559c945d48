import type * as tf from "@tensorflow/tfjs-core";
import { defineKernel, defineOp } from "../define.js";
import { gelu } from "./gelu.js";
import { linear, type WeightLayout } from "./linear.js";
import {
  residualNorm,
  residualNormGradients,
  type ResidualNormInputs,
  savedByNorm,
} from "./residual-norm.js";
import { silu } from "./silu.js";
import { swiglu } from "./swiglu.js";

export type MlpActivation = "silu" | "gelu-tanh" | "gelu-erf";

export interface ResidualMlpAttributes {
  readonly epsilon: number;
  /** Of an MLP without a gate; a gate goes through silu. */
  readonly activation: MlpActivation;
  readonly weightLayout: WeightLayout;
}

/** Weights in the layout of the attributes; `gateWeight` makes it a gated MLP. */
export type ResidualMlpInputs = ResidualNormInputs & {
  gateWeight?: tf.Tensor2D;
  gateBias?: tf.Tensor1D;
  upWeight: tf.Tensor2D;
  upBias?: tf.Tensor1D;
  downWeight: tf.Tensor2D;
  downBias?: tf.Tensor1D;
};

/** What the forward kernel saves, by name. */
export function savedByMlp(inputs: ResidualMlpInputs): string[] {
  return [...savedByNorm(inputs), ...(inputs.gateWeight ? ["gate"] : []), "up", "activated"];
}

/** The parameters, in the order of the gradient kernel's outputs, which begin with that of x. */
export function mlpParameters(inputs: ResidualMlpInputs): (keyof ResidualMlpInputs)[] {
  const names = [
    ...(["normWeight", "normBias", "gateWeight", "gateBias"] as const),
    ...(["upWeight", "upBias", "downWeight", "downBias"] as const),
  ];
  return names.filter((name) => inputs[name] !== undefined);
}

const { definition: affine } = linear;

function project(x: tf.Tensor, weight: tf.Tensor2D, bias: tf.Tensor1D | undefined) {
  return { x, weight, ...(bias && { bias }) };
}

function activate(up: tf.Tensor, activation: MlpActivation): tf.Tensor {
  const value =
    activation === "silu"
      ? silu.definition.forward({ x: up }, {})
      : gelu.definition.forward({ x: up }, { approximation: approximations[activation] });
  return value[0] as tf.Tensor;
}

const approximations = { "gelu-tanh": "tanh", "gelu-erf": "none" } as const;

function forward(inputs: ResidualMlpInputs, attributes: ResidualMlpAttributes): tf.Tensor[] {
  const { x, gateWeight, gateBias, upWeight, upBias, downWeight, downBias } = inputs;
  const { epsilon, activation, weightLayout } = attributes;
  const [normed, ...statistics] = residualNorm(inputs, epsilon) as [tf.Tensor, ...tf.Tensor[]];
  const apply = (...given: Parameters<typeof project>) =>
    affine.forward(project(...given), { weightLayout })[0] as tf.Tensor;
  const up = apply(normed, upWeight, upBias);
  const gate = gateWeight && apply(normed, gateWeight, gateBias);
  const activated = gate
    ? (swiglu.definition.forward({ gate, up }, {})[0] as tf.Tensor)
    : activate(up, activation);
  const value = x.add(apply(activated, downWeight, downBias));
  return [value, normed, ...statistics, ...(gate ? [gate] : []), up, activated];
}

type Saved = { dy: tf.Tensor; normed: tf.Tensor; mean?: tf.Tensor; scale: tf.Tensor } & {
  gate?: tf.Tensor;
  up: tf.Tensor;
  activated: tf.Tensor;
};

function throughActivation(
  dactivated: tf.Tensor,
  { gate, up }: Saved,
  activation: MlpActivation,
): { dgate?: tf.Tensor; dup: tf.Tensor } {
  if (gate) {
    const gradients = swiglu.definition.gradients(
      dactivated,
      { inputs: { gate, up }, extras: [] },
      {},
    );
    return { dgate: gradients.gate(), dup: gradients.up() };
  }
  const saved = { inputs: { x: up }, extras: [] };
  if (activation === "silu") {
    return { dup: silu.definition.gradients(dactivated, saved, {}).x() };
  }
  const attributes = { approximation: approximations[activation] };
  return { dup: gelu.definition.gradients(dactivated, saved, attributes).x() };
}

/** `[dx, ...those of the parameters]`. */
const gradient = defineKernel<ResidualMlpInputs & Saved, ResidualMlpAttributes>(
  "PupilResidualMlpGrad",
  (inputs, attributes) => {
    const { dy, normed, mean, scale, activated } = inputs;
    const { epsilon, activation, weightLayout } = attributes;
    const back = (d: tf.Tensor, ...given: Parameters<typeof project>) => {
      const saved = { inputs: project(...given), extras: [] };
      const gradients = affine.gradients(d, saved, { weightLayout });
      const bias = given[2] && gradients.bias?.();
      return { x: gradients.x(), weight: gradients.weight(), bias };
    };
    const down = back(dy, activated, inputs.downWeight, inputs.downBias);
    const { dgate, dup } = throughActivation(down.x, inputs, activation);
    const up = back(dup, normed, inputs.upWeight, inputs.upBias);
    const gate =
      dgate && inputs.gateWeight && back(dgate, normed, inputs.gateWeight, inputs.gateBias);
    const dnormed = gate ? gate.x.add(up.x) : up.x;
    const ofNorm = residualNormGradients({ dy, dnormed }, inputs, { epsilon, mean, scale });
    const all: Record<string, tf.Tensor | undefined> = {
      ...ofNorm,
      ...{ gateWeight: gate?.weight, gateBias: gate?.bias },
      ...{ upWeight: up.weight, upBias: up.bias },
      ...{ downWeight: down.weight, downBias: down.bias },
    };
    return ["x", ...mlpParameters(inputs)].map((name) => all[name] as tf.Tensor);
  },
);

const op = defineOp<ResidualMlpInputs, ResidualMlpAttributes>({
  name: "PupilResidualMlp",
  reference: (inputs, attributes) => forward(inputs, attributes)[0] as tf.Tensor,
  forward,
  gradients: (dy, { inputs, extras }, attributes) => {
    const saved = Object.fromEntries(savedByMlp(inputs).map((name, i) => [name, extras[i]]));
    const outputs = gradient({ dy, ...inputs, ...(saved as Omit<Saved, "dy">) }, attributes);
    const names = ["x", ...mlpParameters(inputs)];
    const entries = names.map((name, i) => [name, () => outputs[i] as tf.Tensor]);
    return Object.fromEntries(entries) as { [K in keyof ResidualMlpInputs]: () => tf.Tensor };
  },
});

/**
 * An MLP block with its norm and its residual connection: `x + down(act(up n))`, or, with a gate,
 * `x + down(silu(gate n) · up n)`, of `n = norm(x)`; x `[..., D]`. All gradients are computed together:
 * where parameters are frozen, its parts cost less.
 *
 * Source: Vaswani et al. 2017, arXiv 1706.03762, with the norm in front (Xiong et al. 2020, arXiv
 * 2002.04745); Shazeer 2020, arXiv 2002.05202 (gate).
 */
export function residualMlp(
  inputs: ResidualMlpInputs,
  attributes: ResidualMlpAttributes,
): tf.Tensor {
  return op(inputs, attributes);
}

residualMlp.definition = op.definition;
