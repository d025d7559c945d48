/** Ops that read tensors held as binary16, against the same ops on the same numbers in float32. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { HalfBackend } from "../../../src/backend/webgpu/half-backend.js";
import { fromFloat16, toFloat16 } from "../../../src/models/index.js";
import {
  embedding,
  globalNorm,
  linear,
  residualMlp,
  type ResidualMlpInputs,
} from "../../../src/ops/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { createVariable, holdAsHalves, recorded } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpuWithHalves,
} from "../../setup/backends/webgpu.js";
import { normals, type OpCase } from "../ops/cases/op-case.js";
import { opCases } from "../ops/describe-ops.js";

const backend = () => tf.backend() as unknown as HalfBackend;
const rounded = (values: ArrayLike<number>) =>
  Float32Array.from(values, (value) => fromFloat16(toFloat16(value)));
const of = (shape: readonly number[], name: string) => Float32Array.from(normals(shape, name).data);

type Named = Record<string, tf.Tensor>;

/** Those with inputs that 16 bits hold. */
const casesThatFit = opCases.filter(({ inputs }) =>
  Object.values(inputs).every(({ data }) => data.every((value) => Math.abs(value) <= 65504)),
);

/** The inputs of a case in float32, rounded, or held as halves. */
function tensorsOf({ inputs, int32 = [] }: OpCase, isHeld: boolean): Named {
  const entries = Object.entries(inputs).map(([name, { shape, data }]) => {
    if (int32.includes(name)) return [name, tf.tensor(Int32Array.from(data), [...shape], "int32")];
    const values = Float32Array.from(data);
    const tensor = tf.tensor(isHeld ? values : rounded(values), [...shape]);
    if (isHeld) backend().holdAsHalf(tensor);
    return [name, tensor];
  });
  return Object.fromEntries(entries) as Named;
}

/** The value of a case and the gradients of its inputs. */
async function resultsOf(opCase: OpCase, isHeld: boolean): Promise<Record<string, number[]>> {
  const given = tensorsOf(opCase, isHeld);
  const { differentiable: names, run } = opCase;
  const results = tf.tidy(() => {
    const value = run(given);
    const cotangent = tf.tensor(of(value.shape, "cotangent"), value.shape);
    const total = (...some: tf.Tensor[]) =>
      run({ ...given, ...Object.fromEntries(names.map((name, i) => [name, some[i] as tf.Tensor])) })
        .mul(cotangent)
        .sum();
    const gradients =
      names.length === 0 ? [] : tf.grads(total)(names.map((name) => given[name] as tf.Tensor));
    return { value, ...Object.fromEntries(gradients.map((g, i) => [names[i] as string, g])) };
  }) as Named;
  const isStillHalf = Object.values(given)
    .filter(({ dtype }) => dtype === "float32")
    .map((tensor) => backend().isHalf(tensor));
  expect(new Set(isStillHalf).has(!isHeld)).toBe(false);
  const numbers: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(results)) numbers[name] = [...(await tensor.data())];
  tf.dispose([given, results]);
  return numbers;
}

/** A tensor held as halves, its numbers as they were given. */
function held(values: ArrayLike<number>, shape: number[]): tf.Tensor {
  const tensor = tf.tensor(Float32Array.from(values), shape);
  backend().holdAsHalf(tensor);
  return tensor;
}

describe.skipIf(!hasVulkan)(`${onWebGpu}: ops on numbers of 16 bits`, () => {
  beforeAll(useWebGpuWithHalves);
  afterAll(useCpu);
  let whole = 0;
  beforeAll(() => {
    whole = backend().mostBytes;
  });
  afterEach(() => {
    backend().mostBytes = whole;
  });

  const asRounded = async (_: string, opCase: OpCase) => {
    const { numBytesUsed } = backend().pool;
    expect(await resultsOf(opCase, true)).toEqual(await resultsOf(opCase, false));
    expect(backend().pool.numBytesUsed).toBe(numBytesUsed);
  };
  const named = casesThatFit.map((opCase) => [`${opCase.op}: ${opCase.title}`, opCase] as const);
  // SwiftShader takes ten seconds to compile what a block is made of.
  const isBlock = ({ op }: OpCase) => op.startsWith("residual");
  const isFirst = ({ op }: OpCase) => casesThatFit.find((opCase) => opCase.op === op);
  const firsts = named.filter(([, opCase]) => isFirst(opCase) === opCase && !isBlock(opCase));
  const others = named.filter(([, opCase]) => isFirst(opCase) !== opCase || isBlock(opCase));

  test.each(firsts)("%s: with every input so, as with rounded ones", asRounded);
  test.skipIf(!hasLavapipe).each(others)(
    `%s: with every input so, as with rounded ones, ${onLavapipe}`,
    asRounded,
  );

  test("numbers come back rounded to the nearest, those of binary16 as they are, in half the memory", async () => {
    const values = of([1000, 301], "numbers");
    const before = backend().pool.numBytesUsed;
    const tensor = tf.tensor(values, [1000, 301]);
    tensor.add(1).dispose();
    const full = backend().pool.numBytesUsed - before;
    expect(await tensor.data()).toEqual(values);
    backend().holdAsHalf(tensor);
    expect(backend().pool.numBytesUsed - before).toBe(full / 2);
    expect(await tensor.data()).toEqual(rounded(values));
    const again = held(await tensor.data(), tensor.shape);
    expect(await again.data()).toEqual(rounded(values));
    const sum = tf.tidy(() =>
      tensor
        .reshape([301_000])
        .slice(7, 5)
        .add(again.reshape([-1]).slice(7, 5)),
    );
    expect(await sum.data()).toEqual(
      rounded(values)
        .slice(7, 12)
        .map((value) => value * 2),
    );
    tf.dispose([tensor, again, sum]);
    expect(backend().pool.numBytesUsed).toBe(before);
  });

  test("what a shader may use at a time is the same in parts", async () => {
    const values = of([300, 70], "table");
    const wide = of([130, 200], "weight");
    const x = tf.tensor2d(of([20, 200], "x"), [20, 200]);
    const y = tf.tensor2d(of([20, 130], "y"), [20, 130]);
    const ids = tf.tensor2d([[0, 299, 64, 64, 128, 191, 192, 300, -1]], undefined, "int32");
    const compute = async (make: (values: Float32Array, shape: number[]) => tf.Tensor) => {
      const table = make(values, [300, 70]) as tf.Tensor2D;
      const weight = make(wide, [130, 200]) as tf.Tensor2D;
      const back = make(wide, [200, 130]) as tf.Tensor2D;
      const results = tf.tidy(() => [
        ...[
          embedding(table, ids),
          linear(x, weight),
          linear(y, weight, undefined, { weightLayout: "in-out" }),
        ],
        ...[linear(y, back), linear(x, back, undefined, { weightLayout: "in-out" })],
      ]);
      const numbers: number[][] = [];
      for (const result of [...results, table, weight]) numbers.push([...(await result.data())]);
      tf.dispose([results, table, weight, back]);
      return numbers;
    };
    const expected = await compute((given, shape) => tf.tensor(rounded(given), shape));
    // Of both kinds of parts: 64 lines that begin at odd multiples of 64, and others.
    for (const bytes of [2 ** 16, 3 * 2 ** 14, 2 ** 13 * 9]) {
      backend().mostBytes = bytes;
      const found = await compute(held);
      for (const [i, numbers] of expected.entries()) {
        const apart = numbers.map((value, j) => Math.abs(value - (found[i]?.[j] as number)));
        expect(Math.max(...apart), `${bytes}, ${i}`).toBeLessThan(1e-4);
      }
    }
    tf.dispose([x, y, ids]);
  });

  test("a part that begins where no binding can is a copy", async () => {
    const values = of([400], "line");
    const tensor = held(values, [400]);
    for (const [at, words] of [
      [128, 272],
      [64, 300],
      [192, 1],
      [0, 3],
    ] as const) {
      const info = backend().view(tensor, at, words);
      expect(backend().isHalf(info), `${at}`).toBe(at % 128 === 0);
      const part = tf.engine().makeTensorFromTensorInfo(info);
      expect(await part.data(), `${at}`).toEqual(rounded(values).slice(at, at + words));
      part.dispose();
    }
    tensor.dispose();
  });

  test("what writes to such a tensor finds it in float32", async () => {
    const values = of([9, 30], "parameter");
    const update = async (hold: boolean) => {
      const parameter = createVariable(tf.tensor(rounded(values), [9, 30]));
      if (hold) backend().holdAsHalf(parameter);
      using optimizer = new AdamW(new Map([["parameter", parameter]]), { weightDecay: 0.1 });
      for (let step = 0; step < 2; step++) {
        tf.tidy(() => {
          const gradient = tf.tensor(of([9, 30], `gradient ${step}`), [9, 30]);
          optimizer.apply(new Map([["parameter", gradient]]), 0.01, tf.scalar(0.5));
        });
      }
      expect(backend().isHalf(parameter)).toBe(false);
      const found = [...(await parameter.data())];
      parameter.dispose();
      return found;
    };
    expect(await update(true)).toEqual(await update(false));
    const norm = (make: () => tf.Tensor) => tf.tidy(() => globalNorm([make(), make()]));
    const norms = [
      norm(() => held(values, [9, 30])),
      norm(() => tf.tensor(rounded(values), [9, 30])),
    ];
    const [first, second] = await Promise.all(norms.map((one) => one.data()));
    expect(first).toEqual(second);
    tf.dispose(norms);
  });

  test("a call is recorded anew when a tensor is held otherwise", async () => {
    backend().replays = true;
    const weight = held(of([3, 4], "w"), [3, 4]) as tf.Tensor2D;
    const owner = {};
    const product = async () => {
      const x = tf.tensor2d([[1, 2, 3, 4]]);
      const { tensors } = recorded(
        () => ({ owner, name: "product", key: "product", reads: [x, weight] }),
        () => ({ tensors: { y: linear(x, weight) }, facts: undefined }),
      );
      const y = tensors["y"] as tf.Tensor;
      const values = [...(await y.data())];
      tf.dispose([x, y]);
      return values;
    };
    const { replayed } = backend().replayReport();
    const found = [await product(), await product(), await product()];
    expect(backend().replayReport().replayed - replayed).toBe(1);
    backend().clear(weight);
    found.push(await product());
    expect(backend().replayReport().replayed - replayed).toBe(1);
    expect(found.slice(1, 3)).toEqual([found[0], found[0]]);
    expect(found[3]).toEqual([0, 0, 0]);
    weight.dispose();
  });

  test("a number that 16 bits do not hold is refused, by the name of its weight", async () => {
    const named = (largest: number) =>
      new Map([
        ["small", tf.tensor1d([1, -2])],
        ["large", tf.tensor1d([0.5, largest, 3])],
      ]);
    const most = named(-65504);
    expect(await holdAsHalves(most, "models/teacher")).toBe(true);
    tf.dispose([...most.values()]);
    for (const [number, said] of [
      [-65505, "65505"],
      [1e30, "1.0000000150474662e+30"],
      [-Infinity, "Infinity"],
    ] as const) {
      const given = named(number);
      await expect(holdAsHalves(given, "models/teacher")).rejects.toThrow(
        `models/teacher: large has a number of magnitude ${said}, and one of 16 bits is at most 65504. Start without PUPIL_WEBGPU_HALF_TEACHERS=1`,
      );
      tf.dispose([...given.values()]);
    }
  });

  test("a shader reads four of them at a time, from two parts of a buffer", async () => {
    const values = of([512], "fours");
    const tensor = held(values, [512]);
    const program = {
      ...{ name: "sums of fours", params: ["count: u32"], writes: ["sums: f32"] },
      reads: ["first: vec4<f32>", "second: vec4<f32>"],
      code: `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x < p.count) { sums[g.x] = dot(first[g.x], second[p.count - 1u - g.x]); }
}`,
    };
    const out = backend().newTensor([64]);
    const [first, second] = [0, 256].map((at) => backend().view(tensor, at, 256)) as [
      tf.TensorInfo,
      tf.TensorInfo,
    ];
    backend().run(program, [first, second, out], [64], [1, 1, 1]);
    const sums = tf.engine().makeTensorFromTensorInfo(out);
    const numbers = rounded(values);
    const dot = (a: number, b: number) =>
      [0, 1, 2, 3].reduce(
        (sum, i) => sum + (numbers[a + i] as number) * (numbers[b + i] as number),
        0,
      );
    const found = await sums.data();
    for (const [i, sum] of found.entries()) {
      expect(sum).toBeCloseTo(dot(4 * i, 256 + 4 * (63 - i)), 5);
    }
    for (const { dataId } of [first, second]) backend().disposeData(dataId);
    tf.dispose([tensor, sums]);
  });

  test("shaders read them where they lie: nothing is copied in a block and its gradient", () => {
    const shapes = {
      x: [2, 5, 8],
      normWeight: [8],
      gateWeight: [12, 8],
      upWeight: [12, 8],
      downWeight: [8, 12],
    };
    const given = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        name === "x" ? tf.tensor(of(shape, name), shape) : held(of(shape, name), shape),
      ]),
    );
    const { run } = backend();
    const names: string[] = [];
    backend().run = (program, ...rest) => {
      names.push(program.name);
      run.call(backend(), program, ...rest);
    };
    try {
      const attributes = { epsilon: 1e-5, activation: "silu", weightLayout: "out-in" } as const;
      const block = (x: tf.Tensor) =>
        residualMlp({ ...given, x } as unknown as ResidualMlpInputs, attributes);
      tf.dispose(tf.grad(block)(given["x"] as tf.Tensor));
    } finally {
      Reflect.deleteProperty(backend(), "run");
    }
    expect(names.some((name) => name.startsWith("matmul"))).toBe(true);
    expect(names).not.toContain("widen");
    tf.dispose(given);
  });
});
