/** Tokens sampled in one kernel against the same, sampled one by one. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Decoder, LanguageModel, ModelConfig } from "../../../src/models/index.js";
import {
  type Rollout,
  sampleRollouts,
  type SampleRolloutsOptions,
  samplingPolicySchema,
} from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";
import { tinyConfigs, tinyDecoder, windowedConfigs } from "../../unit/models/tiny-models.js";

const configs: Readonly<Record<string, ModelConfig>> = { ...tinyConfigs, ...windowedConfigs };
const llama = configs["llama"] as ModelConfig;
const prompts = [[1, 2, 3, 4], [5], [6, 2], [3, 5, 1, 2, 6]];
const policies = {
  greedy: { greedy: true },
  "top-k, top-p, temperature": { topK: 4, topP: 0.9, samplingTemperature: 1.5 },
};

function sample(model: LanguageModel, options: Partial<SampleRolloutsOptions> = {}) {
  return sampleRollouts({
    ...{ model, prompts, endIds: [0], padId: 1, maxNewTokens: 9 },
    ...{ policy: samplingPolicySchema.parse({}), random: new Random(5) },
    ...options,
  });
}

/** The same model, which counts its forward passes, with or without a shorter way. */
function counted(decoder: Decoder, ahead: boolean) {
  let passes = 0;
  const forward = (...args: Parameters<Decoder["forward"]>) => {
    passes++;
    return decoder.forward(...args);
  };
  const changed = {
    forward: { value: forward },
    ...(!ahead && { sampleAhead: { value: undefined } }),
  };
  return { model: Object.create(decoder, changed) as Decoder, passes: () => passes };
}

async function expectSame(config: ModelConfig, fields: object, endIds: readonly number[]) {
  using decoder = tinyDecoder(config);
  const options = { policy: samplingPolicySchema.parse(fields), endIds };
  const slow = counted(decoder, false);
  const fast = counted(decoder, true);
  const expected = await sample(slow.model, options);
  expect(await sample(fast.model, options)).toEqual(expected);
  // Prompts of a length that leaves room for fewer tokens are a batch of their own.
  expect(fast.passes()).toBeLessThanOrEqual(2);
  expect(slow.passes()).toBeGreaterThan(2);
}

describe.each(engineVariants)("$name", ({ options }) => {
  beforeAll(async () => {
    await useWasmEngine(options);
  });
  afterAll(useCpu);

  test.each(Object.entries(configs))("%s", async (_, config) => {
    await expectSame(config, {}, []);
    await expectSame(config, {}, [2, 4]);
  });

  test.each(Object.entries(policies))("%s", async (_, fields) => {
    await expectSame(llama, fields, [0]);
  });
});

describe("what is sampled ahead", () => {
  beforeAll(async () => {
    await useWasmEngine({ numThreads: 2 });
  });
  afterAll(useCpu);

  const lengths = (rollouts: readonly Rollout[]) => rollouts.map((r) => r.completionIds.length);

  test("goes on behind the first piece, for more tokens than a piece has", async () => {
    using decoder = tinyDecoder({ ...llama, maxPositions: 100 });
    const long = { endIds: [], maxNewTokens: 70 };
    const rollouts = await sample(decoder, long);
    expect(lengths(rollouts)).toEqual([70, 70, 70, 70]);
    expect(rollouts).toEqual(await sample(counted(decoder, false).model, long));
  });

  test("is as many as the last completions had, whatever is sampled then", async () => {
    using decoder = tinyDecoder({ ...llama, maxPositions: 100 });
    const asked: number[] = [];
    const sampleAhead: Decoder["sampleAhead"] = (inputs, cache, settings) => {
      asked.push(settings.steps);
      return decoder.sampleAhead(inputs, cache, settings);
    };
    const model = Object.create(decoder, { sampleAhead: { value: sampleAhead } }) as Decoder;
    const end = (await sample(decoder, { prompts: [[1]], endIds: [] }))[0]?.completionIds[4];
    const options = { prompts: [[1]], endIds: [end as number], maxNewTokens: 60 };
    const first = await sample(model, options);
    expect(await sample(model, options)).toEqual(first);
    expect(lengths(first)[0]).toBeLessThanOrEqual(5);
    expect(asked).toEqual([32, 8]);
    expect(first).toEqual(await sample(counted(decoder, false).model, options));
  });

  test("begins with the first token where rows are too long for the kernel", async () => {
    using decoder = tinyDecoder({ ...llama, vocabSize: 2 ** 18 + 1, hiddenSize: 4 });
    const short = { endIds: [], maxNewTokens: 2, prompts: [[1, 2]] };
    expect(await sample(decoder, short)).toEqual(
      await sample(counted(decoder, false).model, short),
    );
  });

  test("takes no weights apart for one token", async () => {
    using decoder = tinyDecoder(llama);
    const kernelsFor = async (maxNewTokens: number) => {
      const kernels = tf.profile(async () => {
        await sample(decoder, { endIds: [], maxNewTokens });
        return [];
      });
      return (await kernels).kernelNames;
    };
    expect(await kernelsFor(2)).toContain("PupilPackWeights");
    expect(await kernelsFor(1)).not.toContain("PupilPackWeights");
  });

  test("who may stop a row is asked after every token, and rows go no further", async () => {
    using decoder = tinyDecoder(llama);
    const asked: string[] = [];
    const stopsAt = (row: number, ids: readonly number[]) => {
      asked.push(`${row}: ${ids.length}`);
      return ids.length === row + 1;
    };
    const options = { endIds: [], maxNewTokens: 4, stopsAt };
    expect(lengths(await sample(decoder, options))).toEqual([1, 2, 3, 4]);
    const inOrder = [
      "0: 1",
      "1: 1",
      "2: 1",
      "3: 1",
      "1: 2",
      "2: 2",
      "3: 2",
      "2: 3",
      "3: 3",
      "3: 4",
    ];
    expect(asked).toEqual(inOrder);
  });

  test("logits that are not finite are an error that names the token", async () => {
    using decoder = tinyDecoder(llama);
    const table = [...decoder.parameters.values()][0] as tf.Variable;
    // The embedding of one token alone: prompts are finite, what follows it is not.
    const [first] = await sample(decoder, { prompts: [[1]], endIds: [], maxNewTokens: 2 });
    const [id] = first?.completionIds as [number];
    expect(id).not.toBe(1);
    tf.tidy(() => {
      const isIt = tf.oneHot(tf.tensor1d([id], "int32"), llama.vocabSize).reshape([-1, 1]);
      table.assign(tf.where(isIt.toBool(), tf.fill(table.shape, Number.NaN), table));
    });
    const broken = sample(decoder, { prompts: [[1]], endIds: [], maxNewTokens: 5 });
    await expect(broken).rejects.toThrow("token 2 of completion 1");
  });

  test("padding without an embedding is refused where it would be fed", async () => {
    using decoder = tinyDecoder(llama);
    const all = Array.from({ length: llama.vocabSize }, (_, id) => id);
    const padId = llama.vocabSize;
    // Rows of one length, so that prompts need no padding.
    const options = { prompts: [[1], [2]], padId, maxNewTokens: 6 };
    expect(lengths(await sample(decoder, { ...options, endIds: [] }))).toEqual([6, 6]);
    expect(lengths(await sample(decoder, { ...options, endIds: all }))).toEqual([1, 1]);
    const [first, second] = await sample(decoder, { ...options, endIds: [] });
    const end = first?.completionIds.find((id, i) => i > 0 && second?.completionIds[i] !== id);
    const refused = sample(decoder, { ...options, endIds: [end as number] });
    await expect(refused).rejects.toThrow(`the id ${padId}`);
  });

  test("no more than the model has positions for", () => {
    using decoder = tinyDecoder({ ...llama, maxPositions: 8 });
    using cache = decoder.createCache();
    tf.tidy(() => {
      const one = tf.tensor2d([[1]], [1, 1], "int32");
      decoder.forward({ inputIds: one }, cache);
      const settings = { ...samplingPolicySchema.parse({ greedy: true }), endIds: [], padId: 0 };
      const inputs = { inputIds: one, attentionMask: tf.ones<tf.Rank.R2>([1, 2]) };
      expect(() => decoder.sampleAhead(inputs, cache, { ...settings, steps: 8 })).toThrow(
        "do not fit into the model's 8 positions",
      );
      const tokens = decoder.sampleAhead(inputs, cache, { ...settings, steps: 7 });
      expect(tokens?.shape).toEqual([7, 2, 1]);
      expect(cache.length).toBe(8);
    });
  });
});
