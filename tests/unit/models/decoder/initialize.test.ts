import { expect, test } from "vitest";
import {
  initializeDecoder,
  initializeDecoderInPieces,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import { Random } from "../../../../src/tensors/index.js";

const options = { vocabSize: 40, hiddenSize: 32, numLayers: 8, numHeads: 4, maxPositions: 64 };

function statistics(values: ArrayLike<number>): { mean: number; deviation: number } {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b) / list.length;
  const variance = list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length;
  return { mean, deviation: Math.sqrt(variance) };
}

test.each(["llama", "gpt2"] as const)(
  "%s: weights have the declared spread, residual projections less, norms 1, biases 0",
  (family) => {
    const config = modelConfigSchema.parse({ ...options, family });
    using decoder = initializeDecoder(config, new Random(3));
    for (const [name, parameter] of decoder.parameters) {
      const values = parameter.dataSync();
      if (parameter.rank === 1) {
        const constant = name.endsWith("bias") ? 0 : 1;
        expect(
          values.every((x) => x === constant),
          name,
        ).toBe(true);
        continue;
      }
      const isResidual = /(o_proj|c_proj|down_proj)\.weight$/.test(name);
      const range = isResidual ? 0.02 / Math.sqrt(2 * 8) : 0.02;
      const { mean, deviation } = statistics(values);
      expect(Math.abs(mean), name).toBeLessThan((4 * range) / Math.sqrt(parameter.size));
      expect(Math.abs(deviation / range - 1), name).toBeLessThan(4 / Math.sqrt(2 * parameter.size));
    }
  },
);

test("a seed gives the same weights, parameter by parameter, whatever else the model has", () => {
  const config = modelConfigSchema.parse({ ...options, family: "llama" });
  const deeper = modelConfigSchema.parse({ ...options, family: "llama", numLayers: 9 });
  const name = "model.layers.3.self_attn.q_proj.weight";
  const draw = (c: typeof config, seed: number) => {
    using decoder = initializeDecoder(c, new Random(seed));
    return [...decoder.parameters.get(name)!.dataSync()];
  };
  const first = draw(config, 11);
  expect(draw(config, 11)).toEqual(first);
  expect(draw(deeper, 11)).toEqual(first);
  expect(draw(config, 12)).not.toEqual(first);
});

test("made in pieces it is the same model", async () => {
  const config = modelConfigSchema.parse({ ...options, family: "gpt2" });
  using whole = initializeDecoder(config, new Random(3));
  using pieces = await initializeDecoderInPieces(config, new Random(3));
  expect([...pieces.parameters.keys()]).toEqual([...whole.parameters.keys()]);
  for (const [name, parameter] of whole.parameters) {
    expect(pieces.parameters.get(name)?.dataSync(), name).toEqual(parameter.dataSync());
  }
});
