/** Products by subgroup matrices: exact on whole numbers, within rounding to f16 elsewhere, refused where one is wrong. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type GpuMeter, meterGpu } from "../../../bench/gpu/meter.js";
import { startBackend } from "../../../src/backend/index.js";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import { nodePlatform } from "../../../src/node/platform.js";
import {
  checkedProducts,
  type GpuTensors,
  linear,
  residualMlp,
  setMatmulTiles,
  setSubgroupMatrices,
  shaderSource,
} from "../../../src/ops/index.js";
import { sft } from "../../../src/trainers/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { config, type StepKind, train } from "../../setup/steps/step-kinds.js";
import { hasSubgroupMatrices, hasVulkan, onWebGpu } from "../../setup/backends/webgpu.js";
import { normals } from "../ops/cases/op-case.js";

const useWebGpu = (subgroupMatrices: boolean) =>
  startBackend("webgpu", { platform: nodePlatform, allowSoftwareAdapter: true, subgroupMatrices });

const backend = () => tf.backend() as unknown as PooledBackend;
const gpu = () => tf.backend() as unknown as GpuTensors;
const of = (shape: number[], name: string, scale = 1) =>
  tf.tensor(Float32Array.from(normals(shape, name, scale).data), shape);

async function numbersOf(make: () => tf.Tensor[]): Promise<number[][]> {
  const tensors = tf.tidy(make);
  const numbers: number[][] = [];
  for (const tensor of tensors) numbers.push(Array.from(await tensor.data()));
  tf.dispose(tensors);
  return numbers;
}

/** x · wᵀ with its gradients for dy, and how large the sums of the absolute values of the terms of each entry are. */
const layer = (rows: number, inputs: number, outputs: number) => () => {
  const [x, weight] = [of([rows, inputs], "x"), of([outputs, inputs], "w")];
  const dy = of([rows, outputs], "dy");
  const run = (...[x, weight, dy]: tf.Tensor[]) => {
    const y = linear(x as tf.Tensor2D, weight as tf.Tensor2D, undefined, {
      weightLayout: "out-in",
    });
    return [y, dy as tf.Tensor] as const;
  };
  const gradients = (...given: [tf.Tensor, tf.Tensor, tf.Tensor]) =>
    tf.valueAndGrads((x, weight) => {
      const [y, dy] = run(x as tf.Tensor, weight as tf.Tensor, given[2]);
      return y.mul(dy).sum();
    })([given[0], given[1]]).grads;
  const all = (...given: [tf.Tensor, tf.Tensor, tf.Tensor]) => [
    run(...given)[0],
    ...gradients(...given),
  ];
  return [...all(x, weight, dy), ...all(x.abs(), weight.abs(), dy.abs())];
};

/** A gated block with a norm, and its gradients: a norm in front, two products at once, an epilogue, a residual. */
const block = () => {
  const attributes = { epsilon: 1e-5, activation: "silu", weightLayout: "out-in" } as const;
  const names = ["x", "normWeight", "gateWeight", "upWeight", "downWeight"];
  const shapes = [[2, 20, 36], [36], [44, 36], [44, 36], [36, 44]];
  // So small that nothing is beyond what f16 has, gradients of squares least of all.
  const given = shapes.map((shape, i) => of(shape, names[i] as string, 0.2));
  const run = (tensors: tf.Tensor[]) => {
    const inputs = Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor]));
    return residualMlp(inputs as unknown as Parameters<typeof residualMlp>[0], attributes);
  };
  const { grads } = tf.valueAndGrads((...tensors) => run(tensors).square().sum())(given);
  return [run(given), ...grads];
};

/** A batch that is learned by heart. */
const learning: StepKind = {
  run: (training, steps, startStep) =>
    sft({
      ...{ ...training, steps, startStep, batchSize: 4, maxGradNorm: 1 },
      ...{ schedule: { learningRate: 0.02 }, tokenizer: { padId: 0 } },
      data: {
        rows: (_, count) =>
          Array.from({ length: count }, (_, row) => ({
            ids: Array.from({ length: 9 }, (_, t) => (5 * row + 7 * t) % config.vocabSize),
            completionStart: 1,
          })),
        promptOf: ({ ids }: { readonly ids: readonly number[] }) => ids.slice(0, 1),
      },
    }),
};

const offered = await hasSubgroupMatrices();

describe.skipIf(!hasVulkan)(`subgroup matrices of ${onWebGpu}`, () => {
  afterAll(useCpu);

  test.skipIf(offered)("that there are not are refused", async () => {
    await expect(useWebGpu(true)).rejects.toThrow(
      /the GPU offers no subgroup matrices, which PUPIL_WEBGPU_SUBGROUP_MATRICES=1 \(subgroupMatrices: true\) asks for.* Start without PUPIL_WEBGPU_SUBGROUP_MATRICES \(subgroupMatrices\), or use another GPU\.$/s,
    );
  });
});

describe.skipIf(!offered)(
  `subgroup matrices of ${onWebGpu} (needs an adapter that offers them)`,
  () => {
    let meter: GpuMeter;
    beforeAll(async () => {
      await useWebGpu(true);
      meter = meterGpu();
    });
    afterEach(() => setMatmulTiles());
    afterAll(useCpu);

    /** Which products of those since the last time were by matrices. */
    const areByMatrices = () =>
      Object.keys(meter.takePrograms())
        .filter((label) => label.startsWith("matmul "))
        .map((label) => / by \d+ lanes /.test(label));

    const smallTiles = { threadRows: 2, threadColumns: 2, groupRows: 8, groupColumns: 8 };

    test.each([smallTiles, { threadColumns: 2, depth: 32 }])(
      "multiply whole numbers exactly, in tiles of %o",
      async (tiles) => {
        setMatmulTiles(tiles);
        meter.takePrograms();
        const products = checkedProducts(gpu());
        expect(new Set(areByMatrices())).toEqual(new Set([true]));
        for (const { name, found, expected } of products) {
          const tensor = tf.engine().makeTensorFromTensorInfo(found);
          expect(Array.from(await tensor.data()), name).toEqual(Array.from(expected));
          tensor.dispose();
        }
      },
    );

    test("multiply exactly where subgroups are smaller than the largest", async () => {
      await useWebGpu(true);
      setSubgroupMatrices({ component: "f16", M: 8, N: 8, K: 8, lanes: 16 });
      for (const { name, found, expected } of checkedProducts(gpu())) {
        const tensor = tf.engine().makeTensorFromTensorInfo(found);
        expect(Array.from(await tensor.data()), name).toEqual([...expected]);
        tensor.dispose();
      }
    });

    test.each([
      { component: "f32", M: 8, N: 8, K: 8, lanes: 64 },
      { component: "f16", M: 16, N: 16, K: 16, lanes: 32 },
      { component: "f16", M: 8, N: 16, K: 16, lanes: 32 },
    ] as const)("have shaders for the matrices of other adapters: %o", async (shape) => {
      setSubgroupMatrices(shape);
      const sources = new Set<string>();
      const runs = gpu() as { -readonly [K in keyof GpuTensors]: GpuTensors[K] };
      runs.run = (program) => void sources.add(shaderSource(program));
      try {
        for (const { found } of checkedProducts(gpu())) gpu().disposeData(found.dataId);
      } finally {
        Reflect.deleteProperty(runs, "run");
        setSubgroupMatrices();
      }
      expect(sources.size).toBe(12);
      const { device } = backend() as unknown as { device: GPUDevice };
      for (const code of sources) {
        const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
        expect(messages.map(({ message }) => message)).toEqual([]);
      }
    });

    test.each([
      [40, 36, 44],
      [33, 50, 39],
    ])("a layer of %i rows, %i to %i, is within rounding to f16", async (...sizes) => {
      await useWebGpu(false);
      const exact = await numbersOf(layer(...sizes));
      await useWebGpu(true);
      meter.takePrograms();
      const found = await numbersOf(layer(...sizes));
      expect(new Set(areByMatrices())).toEqual(new Set([true]));
      let worst = 0;
      for (const which of [0, 1, 2]) {
        const [right, values, terms] = [exact[which], found[which], exact[which + 3]] as [
          ...[number[], number[], number[]],
        ];
        for (const [i, value] of right.entries()) {
          const apart = Math.abs(value - (values[i] as number)) / (terms[i] as number);
          worst = Math.max(worst, apart);
        }
      }
      // Each factor is off by half a unit in the last of eleven bits at most, the sums by float32's.
      expect(worst).toBeLessThan(2 * 2 ** -11 + 1e-5);
      // That they are rounded is why they are an option.
      expect(worst).toBeGreaterThan(1e-5);
    });

    test("a block and its gradients are within what rounding to f16 makes of them", async () => {
      await useWebGpu(false);
      const exact = await numbersOf(block);
      await useWebGpu(true);
      meter.takePrograms();
      const found = await numbersOf(block);
      expect(new Set(areByMatrices())).toEqual(new Set([true]));
      for (const [which, values] of exact.entries()) {
        const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        for (const [i, value] of values.entries()) {
          const apart = Math.abs(value - (found[which]?.[i] as number));
          // Up to five products one after the other, each 2⁻¹⁰ of the terms that it adds.
          expect(apart / scale, `${which} ${i}`).toBeLessThan(5 * 2 ** -10);
        }
      }
    });

    test("have no number for what f16 has none for", async () => {
      await useWebGpu(true);
      const [values] = await numbersOf(() => [
        linear(tf.fill([40, 36], 1e5), tf.ones([44, 36]), undefined, { weightLayout: "out-in" }),
      ]);
      expect(new Set(values)).toEqual(new Set([Infinity]));
    });

    test("are not used for less than a tile", async () => {
      await useWebGpu(true);
      for (const [rows, expected] of [
        [32, true],
        [15, false],
      ] as const) {
        meter.takePrograms();
        await numbersOf(() => layer(rows, 32, 32)().slice(0, 3));
        expect(new Set(areByMatrices())).toEqual(new Set([expected]));
      }
    });

    test("a training learns, the same twice, replayed or not", async () => {
      setMatmulTiles({
        ...{ threadRows: 2, threadColumns: 2, groupRows: 4, groupColumns: 4 },
        depth: 8,
      });
      await useWebGpu(true);
      meter.takePrograms();
      const runs = [];
      for (const replays of [false, false, true]) {
        backend().replays = replays;
        const before = backend().replayReport().replayed;
        runs.push(await train(learning, 24));
        expect(backend().replayReport().replayed > before).toBe(replays);
      }
      expect(areByMatrices()).toContain(true);
      const [first, again, replayed] = runs;
      expect(again?.log).toEqual(first?.log);
      expect(again?.weights).toEqual(first?.weights);
      expect(replayed?.log).toEqual(first?.log);
      expect(replayed?.weights).toEqual(first?.weights);
      const losses = (first?.log as { loss?: number }[]).flatMap(({ loss }) => loss ?? []);
      expect(losses[0]).toBeGreaterThan(3);
      expect(losses.at(-1)).toBeLessThan(1);
    });

    test("that multiply wrongly are refused, and are not used then", async () => {
      await useWebGpu(false);
      // Other tiles, so that everything is compiled anew.
      setMatmulTiles({ threadRows: 2 });
      const { device } = backend() as unknown as { device: GPUDevice };
      const make = device.createShaderModule.bind(device);
      device.createShaderModule = (descriptor) =>
        make({
          ...descriptor,
          code: descriptor.code.replace("row_major>(&sums_s", "col_major>(&sums_s"),
        });
      try {
        await expect(useWebGpu(true)).rejects.toThrow(
          /the GPU's subgroup matrices, .* asks for, multiply wrongly \(a · b of 20x36x36 with a residual\)/,
        );
        meter.takePrograms();
        await numbersOf(layer(40, 36, 44));
        expect(new Set(areByMatrices())).toEqual(new Set([false]));
      } finally {
        device.createShaderModule = make;
      }
    });
  },
);
