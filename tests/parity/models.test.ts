import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import {
  type Decoder,
  decodeSafetensors,
  decoderFromTensors,
  parseHuggingFaceConfig,
} from "../../src/models/index.js";
import { crossEntropyFromLogits } from "../../src/ops/index.js";
import { disposeAll, variableGradients } from "../../src/tensors/index.js";

/** Written by scripts/fixtures/make-model-fixtures.py with Hugging Face transformers. */
interface Expected {
  input_ids: number[][];
  attention_mask: number[][];
  logits: number[];
  loss: number;
  gradients: Record<string, { norm: number; first: number[] }>;
}

function load(name: string): {
  decoder: Decoder;
  expected: Expected;
  unknownKeys: readonly string[];
} {
  const path = (file: string) =>
    fileURLToPath(new URL(`./fixtures/models/${name}/${file}`, import.meta.url));
  const json = (file: string) => JSON.parse(readFileSync(path(file), "utf8"));
  const { sliding_window: slidingWindow = null, ...rest } = json("config.json");
  // Mistral is Llama with a window.
  const modelType = rest.model_type === "mistral" ? "llama" : rest.model_type;
  const parsed = parseHuggingFaceConfig({ ...rest, model_type: modelType }, path("config.json"));
  const { unknownKeys } = parsed;
  const config = { ...parsed.config, slidingWindow };
  const file = path("model.safetensors");
  const tensors = decodeSafetensors(readFileSync(file), file);
  const decoder = decoderFromTensors(config, tensors, file);
  return { decoder, expected: json("expected.json"), unknownKeys };
}

/** Largest difference relative to the largest expected magnitude. */
function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((x, i) => Math.abs(x - (actual[i] ?? Number.NaN)))) / scale;
}

describe.each(["llama", "llama-biased", "mistral-sliding-window", "gpt2", "gpt2-exact-gelu"])(
  "%s",
  (name) => {
    test("the configuration has no key that we do not know", () => {
      const { decoder, unknownKeys } = load(name);
      expect(unknownKeys).toEqual([]);
      decoder.dispose();
    });

    test("logits equal those of transformers, also under left and right padding", () => {
      const { decoder, expected } = load(name);
      const attentionMask = tf.tensor2d(expected.attention_mask);
      const inputIds = tf.tensor2d(expected.input_ids, undefined, "int32");
      const logits = tf.tidy(() =>
        decoder.forward({ inputIds, attentionMask }).mul(attentionMask.expandDims(2)),
      );
      expect(relativeError(logits.dataSync(), expected.logits)).toBeLessThan(5e-6);
      disposeAll([logits, inputIds, attentionMask, decoder]);
    });

    test("loss and gradients equal those of PyTorch", () => {
      const { decoder, expected } = load(name);
      const { value, gradients } = variableGradients(
        () =>
          tf.tidy(() => {
            const ids = tf.tensor2d(expected.input_ids, undefined, "int32");
            const mask = tf.tensor2d(expected.attention_mask);
            const [batch, length] = ids.shape;
            const head = [batch, length - 1] as const;
            const labels = tf.slice(ids, [0, 1], [...head]);
            const counted = tf
              .slice(mask, [0, 0], [...head])
              .mul(tf.slice(mask, [0, 1], [...head]));
            const inputIds = tf.slice(ids, [0, 0], [...head]);
            const attentionMask = tf.slice(mask, [0, 0], [...head]);
            const logits = decoder.forward({ inputIds, attentionMask });
            const losses = crossEntropyFromLogits(logits, labels).mul(counted);
            return losses.sum().div(counted.sum()) as tf.Scalar;
          }),
        [...decoder.parameters.values()],
      );
      expect(Math.abs(value.dataSync()[0]! - expected.loss)).toBeLessThan(5e-6);
      const names = [...decoder.parameters.keys()];
      expect(names.toSorted()).toEqual(Object.keys(expected.gradients).toSorted());
      for (const [i, parameterName] of names.entries()) {
        const { norm, first } = expected.gradients[parameterName]!;
        const values = gradients[i]!.dataSync();
        expect(Math.abs(Math.hypot(...values) / norm - 1), parameterName).toBeLessThan(2e-5);
        for (const [j, x] of first.entries()) {
          expect(Math.abs(values[j]! - x) / norm, `${parameterName}[${j}]`).toBeLessThan(2e-5);
        }
      }
      disposeAll([value, ...gradients, decoder]);
    });
  },
);
