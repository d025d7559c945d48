import type * as tf from "@tensorflow/tfjs-core";
import type { WeightLayout } from "../../../layers/linear.js";
import type { KernelExports } from "../engine/exports.js";
import type { WasmTensors } from "../registry.js";

type Info = tf.TensorInfo;

/**
 * Flags of `matmul`: the stored matrix is the transpose of what the product needs; the product is
 * added to what is there.
 */
export const MATMUL = { transposeA: 1, transposeB: 2, accumulate: 4 } as const;
const SUM = 0;

/** Affine maps of rows and their gradients, from addresses to addresses. */
export class AffineProduct {
  private readonly backend: WasmTensors;
  private readonly kernels: KernelExports;
  private readonly outIn: boolean;
  private readonly rows: number;

  constructor(backend: WasmTensors, weightLayout: WeightLayout, rows: number) {
    this.backend = backend;
    this.kernels = backend.engine.kernels;
    this.outIn = weightLayout === "out-in";
    this.rows = rows;
  }

  outputs({ shape }: Info): number {
    return shape[this.outIn ? 0 : 1] as number;
  }

  inputs({ shape }: Info): number {
    return shape[this.outIn ? 1 : 0] as number;
  }

  /** `x W + b` at `y`, rows of x and y lying together. */
  forward(x: number, weight: Info, bias: Info | undefined, y: number): void {
    const [n, k] = [this.outputs(weight), this.inputs(weight)];
    const w = this.backend.address(weight);
    const b = bias ? this.backend.address(bias) : 0;
    const flags = this.outIn ? MATMUL.transposeB : 0;
    this.kernels.matmul(x, w, y, b, 1, this.rows, n, k, flags, 0, 0);
  }

  /** The gradient of x at `dx`, or added to what is there. */
  gradientOfInput(dy: number, weight: Info, dx: number, adds = false): void {
    const [n, k] = [this.inputs(weight), this.outputs(weight)];
    const w = this.backend.address(weight);
    const flags = (this.outIn ? 0 : MATMUL.transposeB) + (adds ? MATMUL.accumulate : 0);
    this.kernels.matmul(dy, w, dx, 0, 1, this.rows, n, k, flags, 0, 0);
  }

  /** A new tensor in the layout of the weight. */
  gradientOfWeight(
    dy: number,
    x: number,
    [outputs, inputs]: readonly [outputs: number, inputs: number],
  ): Info {
    const [m, n] = this.outIn ? [outputs, inputs] : [inputs, outputs];
    const [left, right] = this.outIn ? [dy, x] : [x, dy];
    const out = this.backend.newTensor([m, n], "float32");
    const address = this.backend.address(out);
    this.kernels.matmul(
      ...([left, right, address, 0, 1] as const),
      ...([m, n, this.rows, MATMUL.transposeA, 0, 0] as const),
    );
    return out;
  }

  gradientOfBias(dy: number, width: number): Info {
    const out = this.backend.newTensor([width], "float32");
    this.kernels.reduce(SUM, dy, this.backend.address(out), 1, this.rows, width, 1);
    return out;
  }

  /** Gradients of a weight, and of a bias if there is one. */
  parameterGradients(
    dy: number,
    x: number,
    { weight, bias }: { readonly weight: Info; readonly bias: Info | undefined },
  ): [Info, Info | undefined] {
    const sizes = [this.outputs(weight), this.inputs(weight)] as const;
    const ofBias = bias && this.gradientOfBias(dy, sizes[0]);
    return [this.gradientOfWeight(dy, x, sizes), ofBias];
  }
}
