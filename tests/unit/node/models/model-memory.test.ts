import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { modelConfigSchema } from "../../../../src/models/index.js";
import { loadModelFolder } from "../../../../src/node/index.js";
import { weightBytes } from "../../../../src/folders/index.js";
import { requireModelFits } from "../../../../src/node/models/model-memory.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

/** As if the current backend were WebGPU with buffers of so many bytes. */
function withSmallBuffers(bytes: number): Disposable {
  const engine = tf.engine();
  const { backendName, backend } = engine;
  const limits = { maxBufferSize: bytes, maxStorageBufferBindingSize: bytes };
  const gpu = Object.create(backend, { device: { value: { limits } } }) as typeof backend;
  const spy = vi.spyOn(engine, "backend", "get").mockReturnValue(gpu);
  engine.backendName = "webgpu";
  return {
    [Symbol.dispose]() {
      spy.mockRestore();
      engine.backendName = backendName;
    },
  };
}

const gpt2 = modelConfigSchema.parse({
  ...{ family: "gpt2", vocabSize: 50_257, maxPositions: 1024 },
  ...{ hiddenSize: 768, numLayers: 12, numHeads: 12 },
});

test("GPT-2's 124,439,808 weights need 0.464 GiB, its largest matrix 0.144", () => {
  expect(weightBytes(gpt2)).toBe(4 * 124_439_808);
  const fits = (total: number, tensor?: number) =>
    requireModelFits(gpt2, "m", { total, tensor: tensor ?? Infinity });
  expect(() => fits(4 * 124_439_808, 4 * 50_257 * 768)).not.toThrow();
  expect(() => fits(4 * 124_439_808 - 1)).toThrow(
    "m: A model needs at least 0.464 GiB of memory, and the cpu backend holds at most 0.464 GiB. Use a smaller model,",
  );
  expect(() => fits(2 ** 40, 2 ** 27)).toThrow(
    "A tensor of the model needs at least 0.144 GiB of memory, and the cpu backend holds at most 0.125 GiB.",
  );
});

test("a model folder is refused before its weights are read", async () => {
  const folder = await saveTinyTeacher(temporaryFolder());
  (await loadModelFolder(folder)).model.dispose();
  using _ = withSmallBuffers(100);
  const before = tf.memory().numTensors;
  await expect(loadModelFolder(folder)).rejects.toThrow(
    /model\.safetensors: A tensor of the model needs at least .* and the webgpu backend holds at most 9\.31e-8 GiB/,
  );
  expect(tf.memory().numTensors).toBe(before);
});
