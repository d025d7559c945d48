import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { type ModelConfig, withVocabulary } from "../../../../src/models/index.js";
import { tinyConfigs, tinyDecoder } from "../tiny-models.js";

const ids = [[3, 1, 4, 1, 5]];

/** Log-probabilities of the last position. */
function lastLogProbs(logits: tf.Tensor): number[] {
  const [, length = 0, size = 0] = logits.shape;
  const last = logits.slice([0, length - 1, 0], [1, 1, size]).reshape([size]);
  return [...tf.logSoftmax(last).dataSync()];
}

test.each(["llama", "gpt2"])(
  "%s: fewer rows are those without the others, at every way to logits",
  (family) => {
    const config = tinyConfigs[family] as ModelConfig;
    const whole = tinyDecoder(config);
    const rows = config.vocabSize;
    tf.tidy(() => {
      const inputs = { inputIds: tf.tensor2d(ids, undefined, "int32") };
      const all = lastLogProbs(whole.forward(inputs)).slice(0, rows - 2);
      const mass = Math.log(all.reduce((sum, value) => sum + Math.exp(value), 0));
      const expected = all.map((value) => value - mass);
      const cut = withVocabulary(whole, rows - 2);
      const near = (logits: tf.Tensor) => {
        expect(logits.shape.at(-1)).toBe(rows - 2);
        for (const [i, value] of lastLogProbs(logits).entries()) {
          expect(value).toBeCloseTo(expected[i] as number, 5);
        }
      };
      expect(cut.config.vocabSize).toBe(rows - 2);
      near(cut.forward(inputs));
      const hidden = cut.hiddenStates?.(inputs) as tf.Tensor3D;
      const [, length = 0, width = 0] = hidden.shape;
      const product = tf.matMul(
        hidden.reshape([length, width]),
        cut.headWeight as tf.Tensor2D,
        false,
        true,
      );
      near(product.reshape([1, length, rows - 2]));
      // One token after the others, by the cache and its shorter way.
      const cache = cut.createCache();
      const first = tf.tensor2d([ids[0]?.slice(0, -1) as number[]], undefined, "int32");
      cut.forward({ inputIds: first, attentionMask: tf.onesLike(first) }, cache);
      const next = {
        inputIds: tf.tensor2d([[5]], undefined, "int32"),
        attentionMask: tf.ones([1, 5], "int32") as tf.Tensor2D,
        positionIds: tf.tensor2d([[4]], undefined, "int32"),
      };
      near(cache.decodeToken?.(next) ?? cut.forward(next, cache));
      cache.dispose();
      cut.dispose();
    });
  },
);

test("more rows get no probability to speak of, and a finite one", () => {
  const whole = tinyDecoder(tinyConfigs["llama"] as ModelConfig);
  const rows = whole.config.vocabSize;
  tf.tidy(() => {
    const inputs = { inputIds: tf.tensor2d(ids, undefined, "int32") };
    const before = lastLogProbs(whole.forward(inputs));
    const wide = withVocabulary(whole, rows + 3);
    const after = lastLogProbs(wide.forward(inputs));
    expect(after).toHaveLength(rows + 3);
    for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 6);
    for (const value of after.slice(rows)) {
      expect(value).toBeLessThan(Math.min(...before) - 19);
      expect(value).toBeGreaterThan(Math.min(...before) - 21);
    }
    // Ids that it has no row for are read as its last one.
    const at = (id: number) => ({ inputIds: tf.tensor2d([[3, id]], undefined, "int32") });
    const ofLast = lastLogProbs(whole.forward(at(rows - 1)));
    for (const id of [rows, rows + 2]) {
      for (const [i, value] of lastLogProbs(wide.forward(at(id)))
        .slice(0, rows)
        .entries()) {
        expect(value).toBeCloseTo(ofLast[i] as number, 6);
      }
    }
    // Products of hidden states and a head know no such rows.
    expect(wide.headWeight).toBeUndefined();
    wide.dispose();
  });
});

test("as many rows are the model itself", () => {
  using model = tinyDecoder(tinyConfigs["llama"] as ModelConfig);
  expect(withVocabulary(model, model.config.vocabSize)).toBe(model);
});
