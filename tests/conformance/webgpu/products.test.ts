/** Matrix products and attention that load four numbers at a time: where they do, and that they are bit for bit what loads of one give. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type GpuMeter, meterGpu } from "../../../bench/gpu/meter.js";
import { matmul } from "../../../src/ops/kernels/webgpu/matmul/matmul.js";
import type { MatmulCall } from "../../../src/ops/kernels/webgpu/matmul/matmul-job.js";
import {
  type GpuTensors,
  linear,
  lossesFromHidden,
  residualAttention,
  type ResidualAttentionInputs,
  residualMlp,
  type ResidualMlpInputs,
  type WeightLayout,
} from "../../../src/ops/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";
import { normals } from "../ops/cases/op-case.js";

type Numbers = readonly number[];

const gpu = () => tf.backend() as unknown as { -readonly [K in keyof GpuTensors]: GpuTensors[K] };
const valuesOf = (shape: readonly number[], name: string): Numbers =>
  Array.from(normals(shape, name).data);
const of = <T extends tf.Tensor = tf.Tensor>(shape: number[], name: string) =>
  tf.tensor(Float32Array.from(valuesOf(shape, name)), shape) as T;

async function read(info: tf.TensorInfo): Promise<Numbers> {
  const tensor = tf.engine().makeTensorFromTensorInfo(info);
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

async function numbersOf(make: () => tf.Tensor[]): Promise<Numbers[]> {
  const tensors = tf.tidy(make);
  const numbers: Numbers[] = [];
  for (const tensor of tensors) numbers.push(Array.from(await tensor.data()));
  tf.dispose(tensors);
  return numbers;
}

describe.skipIf(!hasVulkan)(`products of ${onWebGpu}`, () => {
  let meter: GpuMeter;
  beforeAll(async () => {
    await useWebGpu();
    meter = meterGpu();
  });
  beforeEach(() => {
    meter.takePrograms();
  });
  afterAll(useCpu);

  /** How the arrays of the products since the last time were loaded, "44" for two by fours, "" for one by one. */
  const loads = () =>
    Object.keys(meter.takePrograms())
      .filter((label) => label.startsWith("matmul "))
      .map((label) => /loads (\d+)/.exec(label)?.[1] ?? "");

  /** What `compute` gives, where every product loads number by number. */
  async function oneByOne<T>(compute: () => Promise<T>): Promise<T> {
    const backend = gpu();
    const { run } = backend;
    backend.run = (program, ...rest) => {
      run.call(backend, program.otherwise ?? program, ...rest);
    };
    try {
      return await compute();
    } finally {
      Reflect.deleteProperty(backend, "run");
    }
  }

  /** A product with a bias and a residual, of operands that lie in one of these ways. */
  type Places = "apart" | "operands in one buffer" | "all in one buffer";
  interface Product {
    readonly rows: number;
    readonly columns: number;
    readonly inner: number;
    readonly transposeA: boolean;
    readonly transposeB: boolean;
  }
  async function product(given: Product, places: Places): Promise<Numbers> {
    const { rows, columns, inner } = given;
    const shapes = [[rows * inner], [inner * columns], [columns], [rows, columns]];
    const names = ["a", "b", "bias"];
    const sources = names.map((name, i) => of(shapes[i] as number[], name));
    const residual = of([rows, columns], "residual");
    const together = places === "all in one buffer" ? 4 : places === "apart" ? 0 : 3;
    const made = [
      ...gpu().newTensors(shapes.slice(0, together)),
      ...shapes.slice(together).map((shape) => gpu().newTensor(shape)),
    ];
    for (const [i, source] of sources.entries()) {
      gpu().copy(source, made[i] as tf.TensorInfo, 0);
    }
    const [a, b, bias, out] = made as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
    const job = { ...given, a: [a], b: [b], bias, residual, out, inner: [inner] };
    matmul(gpu(), { jobs: [job] });
    const values = await read(out);
    for (const { dataId } of [a, b, bias]) gpu().disposeData(dataId);
    tf.dispose([...sources, residual]);
    return values;
  }

  function inNumbers({ rows, columns, inner, transposeA, transposeB }: Product): number[] {
    const [a, b] = [valuesOf([rows * inner], "a"), valuesOf([inner * columns], "b")];
    const [bias, residual] = [valuesOf([columns], "bias"), valuesOf([rows, columns], "residual")];
    return Array.from({ length: rows * columns }, (_, at) => {
      const [row, col] = [Math.floor(at / columns), at % columns];
      let sum = (bias[col] as number) + (residual[at] as number);
      for (let k = 0; k < inner; k++) {
        const ofA = a[transposeA ? k * rows + row : row * inner + k] as number;
        sum += ofA * (b[transposeB ? col * inner + k : k * columns + col] as number);
      }
      return sum;
    });
  }

  const sizes = [
    [40, 36, 20],
    [36, 5, 20],
    [33, 36, 18],
    [4, 4, 4],
    [35, 33, 17],
  ] as const;
  const isFours = (size: number) => (size % 4 === 0 ? "4" : "1");

  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const title = `${transposeA ? "aᵀ" : "a"} · ${transposeB ? "bᵀ" : "b"}`;
      test.each(sizes)(`${title} of %i x %i x %i`, async (rows, columns, inner) => {
        const given = { rows, columns, inner, transposeA, transposeB };
        const a = isFours(transposeA ? rows : inner);
        const b = isFours(transposeB ? inner : columns);
        // In the order a, b, bias, residual: the bias follows the operands, the residual is never by fours.
        const byFours = `${a}${b}${a === "4" && b === "4" ? "4" : "1"}1`;
        const expected = inNumbers(given);
        const isBoth = a === "4" && b === "4";
        const taken: Record<Places, string> = {
          apart: a === "1" && b === "1" ? "" : byFours,
          "operands in one buffer": isBoth ? byFours : "",
          "all in one buffer": "",
        };
        for (const [places, load] of Object.entries(taken) as [Places, string][]) {
          const found = await product(given, places);
          expect(loads(), places).toEqual([load]);
          expect(await oneByOne(() => product(given, places)), places).toEqual(found);
          expect(loads(), places).toEqual([""]);
          for (const [i, value] of expected.entries()) {
            expect(Math.abs((found[i] as number) - value), places).toBeLessThan(1e-4);
          }
        }
      });
    }
  }

  test.each([
    [4, 44, "441"],
    [4, 42, "411"],
    [2, 44, "141"],
  ])("of parts from word %i on, lines %i words apart", async (offset, stride, load) => {
    const [rows, columns, inner] = [24, 40, 20];
    const compute = async () => {
      const [a, b] = [of([rows * inner + 8], "a"), of([inner * stride], "b")];
      const [out, residual] = [gpu().newTensor([rows, stride]), of([rows * stride], "r")];
      const job = {
        ...{ a: [a], b: [b], residual, out, rows, columns, inner: [inner] },
        ...{ transposeA: false, transposeB: false, strides: { a: inner, b: stride, out: stride } },
      };
      gpu().clear(out);
      matmul(gpu(), { jobs: [job], offsets: { a: offset } });
      const values = await read(out);
      tf.dispose([a, b, residual]);
      return values;
    };
    const found = await compute();
    expect(loads()).toEqual([load]);
    expect(await oneByOne(compute)).toEqual(found);
  });

  test("a part of a buffer that begins within a vector is loaded number by number", async () => {
    const call = (a: tf.TensorInfo, b: tf.TensorInfo, out: tf.TensorInfo): MatmulCall => ({
      jobs: [
        {
          ...{ a: [a], b: [b], out, rows: 4, columns: 4, inner: [4] },
          ...{ transposeA: false, transposeB: false },
        },
      ],
    });
    const [whole, out] = [of([200], "w"), gpu().newTensor([4, 4])];
    // Not at a multiple of 64, as such parts have to be: bound together with the rest, it may be.
    const views = [gpu().view(whole, 0, 16), gpu().view(whole, 66, 16)] as const;
    matmul(gpu(), call(...views, out));
    expect(loads()).toEqual([""]);
    const values = valuesOf([200], "w");
    const found = await read(out);
    for (const [at, value] of found.entries()) {
      const [row, col] = [Math.floor(at / 4), at % 4];
      const terms = [0, 1, 2, 3].map(
        (k) => (values[4 * row + k] as number) * (values[66 + 4 * k + col] as number),
      );
      expect(value).toBeCloseTo(
        terms.reduce((sum, term) => sum + term, 0),
        5,
      );
    }
    for (const { dataId } of views) gpu().disposeData(dataId);
    whole.dispose();
  });

  /** A gated block with a norm, and its gradients. */
  const block = (width: number, columns: number, weightLayout: WeightLayout) => () => {
    const shape = (from: number, to: number) =>
      weightLayout === "out-in" ? [to, from] : [from, to];
    const given = {
      ...{ x: of([2, 9, width], "x"), normWeight: of([width], "n") },
      ...{ gateWeight: of(shape(width, columns), "g"), upWeight: of(shape(width, columns), "u") },
      ...{ downWeight: of(shape(columns, width), "d") },
    };
    const names = Object.keys(given);
    const attributes = { epsilon: 1e-5, activation: "silu", weightLayout } as const;
    const run = (tensors: tf.Tensor[]) =>
      residualMlp(
        Object.fromEntries(
          tensors.map((tensor, i) => [names[i], tensor]),
        ) as unknown as ResidualMlpInputs,
        attributes,
      );
    const { value, grads } = tf.valueAndGrads((...tensors) => run(tensors).square().sum())(
      Object.values(given),
    );
    return [value, ...grads];
  };

  test.each([
    [8, 12, "out-in", true],
    [8, 12, "in-out", true],
    [8, 10, "in-out", true],
    [6, 10, "out-in", false],
  ] as const)("of a block of %i to %i, %s", async (width, columns, layout, hasFours) => {
    const make = block(width, columns, layout);
    const found = await numbersOf(make);
    expect(loads().some((load) => load.includes("4"))).toBe(hasFours);
    expect(await oneByOne(() => numbersOf(make))).toEqual(found);
    expect(loads().join("")).toBe("");
  });

  /** An attention block of two heads with rotary positions, and its gradients. */
  const attentionBlock = (headDim: number) => () => {
    const width = 2 * headDim;
    const angles = of([2, 9, headDim / 2], "angles");
    const tables = { cos: angles.cos(), sin: angles.sin() };
    const names = ["x", "normWeight", "queryWeight", "keyWeight", "valueWeight", "outputWeight"];
    const shapes = [[2, 9, width], [width], ...names.slice(2).map(() => [width, width])];
    const given = shapes.map((shape, i) => of(shape, names[i] as string));
    const run = (tensors: tf.Tensor[]) => {
      const inputs = Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor]));
      const attributes = { epsilon: 1e-5, headDim, weightLayout: "out-in" } as const;
      return residualAttention(
        { ...inputs, ...tables } as unknown as ResidualAttentionInputs,
        attributes,
      );
    };
    const { grads } = tf.valueAndGrads((...tensors) => run(tensors).square().sum())(given);
    return [run(given), ...grads];
  };

  test.each([
    [8, true],
    [12, true],
    [6, false],
  ])("of an attention block with heads of %i", async (headDim, hasFours) => {
    const attentions = () =>
      Object.keys(meter.takePrograms()).filter((label) => /^attention /.test(label));
    const byFours = () => new Set(attentions().map((label) => label.includes(" by fours")));
    const make = attentionBlock(headDim);
    const found = await numbersOf(make);
    expect(byFours()).toEqual(new Set([hasFours]));
    expect(await oneByOne(() => numbersOf(make))).toEqual(found);
    expect(byFours()).toEqual(new Set([false]));
  });

  test.each([24, 27])("of a head of %i tokens", async (vocabulary) => {
    const [hidden, head] = [of<tf.Tensor3D>([2, 9, 8], "h"), of<tf.Tensor2D>([vocabulary, 8], "v")];
    const labels = tf.fill<tf.Rank.R2>([2, 9], 3, "int32");
    const terms = [
      { loss: { kind: "crossEntropy" }, rowWeights: tf.ones<tf.Rank.R2>([2, 9]) },
    ] as const;
    const total = (h: tf.Tensor, w: tf.Tensor) => {
      const student = { hidden: h as tf.Tensor3D, head: w as tf.Tensor2D };
      return lossesFromHidden({ student, labels }, terms, { chunkBytes: 8 * 4 * vocabulary }).total;
    };
    const compute = () =>
      numbersOf(() => {
        const { value, grads } = tf.valueAndGrads(total)([hidden, head]);
        return [value, ...grads];
      });
    const found = await compute();
    // Logits of an odd number of tokens are not by fours, but what they are multiplied with is.
    const taken = loads();
    expect(taken).toContain("44");
    expect(taken.includes("14") || taken.includes("141")).toBe(vocabulary % 4 !== 0);
    expect(await oneByOne(compute)).toEqual(found);
    tf.dispose([hidden, head, labels, terms[0].rowWeights]);
  });

  test.each(["out-in", "in-out"] as const)("in parts of 64 KiB, %s", async (weightLayout) => {
    const shape = weightLayout === "out-in" ? [132, 200] : [200, 132];
    const make = () => {
      const [x, weight, bias] = [of([20, 200], "x"), of(shape, "w"), of([132], "b")];
      const { value, grads } = tf.valueAndGrads((...tensors) =>
        linear(tensors[0] as tf.Tensor2D, tensors[1] as tf.Tensor2D, tensors[2] as tf.Tensor1D, {
          weightLayout,
        })
          .square()
          .sum(),
      )([x, weight, bias]);
      return [value, ...grads];
    };
    const { mostBytes } = gpu();
    gpu().mostBytes = 2 ** 16;
    try {
      const found = await numbersOf(make);
      expect(loads().some((load) => load.includes("4"))).toBe(true);
      expect(await oneByOne(() => numbersOf(make))).toEqual(found);
    } finally {
      gpu().mostBytes = mostBytes;
    }
  });
});
