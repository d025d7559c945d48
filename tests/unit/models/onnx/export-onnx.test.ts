import { describe, expect, test } from "vitest";
import {
  decoderToTensors,
  exportOnnx,
  type ModelConfig,
  modelConfigSchema,
  type TensorValues,
} from "../../../../src/models/index.js";
import { encodeOnnx } from "../../../../src/models/onnx/onnx-format.js";
import { tinyConfigs, tinyDecoder } from "../tiny-models.js";

async function tensorsOf(config: ModelConfig): Promise<Map<string, TensorValues>> {
  using decoder = tinyDecoder(config);
  return decoderToTensors(decoder);
}

const bytesOf = (tensors: ReadonlyMap<string, TensorValues>) =>
  [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

/** How often a name of a parameter stands in a file as an initializer's. */
function occurrences(file: Uint8Array, text: string): number {
  return Buffer.from(file).toString("latin1").split(text).length - 1;
}

describe("exportOnnx", () => {
  test("is the same bytes for the same model", async () => {
    const config = tinyConfigs["llama"] as ModelConfig;
    const tensors = await tensorsOf(config);
    expect(exportOnnx(config, tensors)).toEqual(exportOnnx(config, tensors));
  });

  test("stores a tied embedding once", async () => {
    const config = {
      ...(tinyConfigs["llama, tied, biased, wide heads"] as ModelConfig),
      ...{ numLayers: 1, vocabSize: 3000 },
    };
    const tied = await tensorsOf(config);
    const overhead = exportOnnx(config, tied).length - bytesOf(tied);
    expect(overhead).toBeLessThan(20_000);
    expect(overhead).toBeGreaterThan(0);
  });

  test("stores half the bytes in float16", async () => {
    const config = { ...(tinyConfigs["gpt2"] as ModelConfig), vocabSize: 3000 };
    const tensors = await tensorsOf(config);
    const saved =
      exportOnnx(config, tensors).length - exportOnnx(config, tensors, { dtype: "float16" }).length;
    expect(Math.abs(saved - bytesOf(tensors) / 2)).toBeLessThan(5000);
  });

  test("names every parameter by its Hugging Face name", async () => {
    for (const config of Object.values(tinyConfigs)) {
      const tensors = await tensorsOf(config);
      const file = exportOnnx(config, tensors);
      for (const name of tensors.keys()) expect(occurrences(file, name)).toBeGreaterThan(0);
    }
  });

  test("a value that float16 cannot hold is an error that names its tensor", async () => {
    const config = tinyConfigs["gpt2"] as ModelConfig;
    const tensors = await tensorsOf(config);
    (tensors.get("transformer.h.1.ln_1.weight") as TensorValues).data[2] = 70_000;
    expect(() => exportOnnx(config, tensors, { dtype: "float16" })).toThrow(
      /transformer\.h\.1\.ln_1\.weight.*70000 at index 2 is too large for float16/,
    );
  });

  test("a parameter that is missing is an error", async () => {
    const config = tinyConfigs["llama"] as ModelConfig;
    const tensors = await tensorsOf(config);
    tensors.delete("model.norm.weight");
    expect(() => exportOnnx(config, tensors)).toThrow(/no parameter model\.norm\.weight/);
  });

  test("rotary scaling that depends on the length is an error", async () => {
    const config = modelConfigSchema.parse({
      ...{ family: "llama", vocabSize: 7, hiddenSize: 8, numLayers: 1, numHeads: 2 },
      ...{ maxPositions: 12, ropeScaling: { type: "dynamic", factor: 2 } },
    });
    const tensors = await tensorsOf(config);
    expect(() => exportOnnx(config, tensors)).toThrow(
      /ropeScaling: .* from a length of 12 on, .*Set ropeScaling to null/,
    );
  });

  test("weights that one file cannot hold are an error before anything is written", () => {
    const raw_data = { length: 3 * 2 ** 30 } as unknown as Uint8Array;
    const initializer = [{ name: "w", dims: [3 * 2 ** 28], data_type: 1, raw_data }];
    const graph = { name: "large", node: [], initializer, input: [], output: [] };
    expect(() => encodeOnnx(graph)).toThrow(/3\.0 GiB .*2 GiB.*float16/);
  });
});
