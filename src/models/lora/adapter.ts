import * as tf from "@tensorflow/tfjs-core";
import { linear, type WeightLayout } from "../../ops/index.js";
import { disposeAll } from "../../tensors/index.js";
import { type LoraSettings, loraScale } from "./lora-options.js";
import type { TargetModule } from "./target-modules.js";

/** The two matrices of one projection: A `[rank, inputs]` and B `[outputs, rank]`. */
export interface LoraMatrices {
  readonly a: tf.Variable;
  readonly b: tf.Variable;
}

/** What an adapter adds to one projection: scale · B·A. */
export interface LoraLayer extends LoraMatrices {
  readonly module: TargetModule;
  readonly scale: number;
}

/**
 * Low-rank matrices that are added to some of a model's projections: y = W x + scale · B (A x). Owns
 * them. They are dense, without dropout.
 *
 * @see Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685
 */
export class Adapter implements Disposable {
  readonly name: string;
  readonly settings: LoraSettings;
  /** By name of the weight that they add to, in the order of the forward pass. */
  readonly layers: ReadonlyMap<string, LoraLayer>;
  /** By name, with the adapter's in it: `<module>.lora_A.<adapter>.weight` and `lora_B`. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly numParameters: number;

  /** Takes ownership of the matrices. */
  constructor(
    name: string,
    settings: LoraSettings,
    matrices: ReadonlyMap<TargetModule, LoraMatrices>,
  ) {
    const scale = loraScale(settings);
    this.name = name;
    this.settings = settings;
    this.layers = new Map(
      [...matrices].map(([module, { a, b }]) => [module.weight, { module, a, b, scale }]),
    );
    this.parameters = new Map(
      [...matrices].flatMap(([module, { a, b }]): [string, tf.Variable][] => [
        [`${module.name}.lora_A.${name}.weight`, a],
        [`${module.name}.lora_B.${name}.weight`, b],
      ]),
    );
    this.numParameters = [...this.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  }

  dispose(): void {
    disposeAll(this.parameters.values());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** scale · B (A x), `[..., inputs]` to `[..., outputs]`. */
export function applyLora({ a, b, scale }: LoraLayer, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => linear(linear(x, a as tf.Tensor2D).mul(scale), b as tf.Tensor2D));
}

/** W + scale · B·A, in the layout of the weight. */
export function mergedWeight(
  weight: tf.Tensor2D,
  { a, b, scale }: LoraLayer,
  weightLayout: WeightLayout,
): tf.Tensor2D {
  return tf.tidy(() => {
    const product = weightLayout === "out-in" ? tf.matMul(b, a) : tf.matMul(a, b, true, true);
    return weight.add<tf.Tensor2D>(product.mul(scale));
  });
}
