/** Tokens sampled on the device, several between two reads, against the same sampled on cpu one by one. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import {
  addAdapter,
  type Decoder,
  type ModelConfig,
  modelConfigSchema,
  setActiveAdapter,
} from "../../../src/models/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { type Rollout, sampleRollouts, samplingPolicySchema } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpu,
} from "../../setup/backends/webgpu.js";
import { tinyConfigs, tinyDecoder, windowedConfigs } from "../../unit/models/tiny-models.js";

const configs: Readonly<Record<string, ModelConfig>> = { ...tinyConfigs, ...windowedConfigs };
const llama = configs["llama"] as ModelConfig;
const prompts = [[1, 2, 3, 4], [5], [6, 2], [3, 5, 1, 2, 6]];

async function sample(config: ModelConfig, fields: object, endIds: readonly number[]) {
  using model = tinyDecoder(config);
  return await sampleRollouts({
    ...{ model, prompts, endIds, padId: 1, maxNewTokens: 9, random: new Random(5) },
    policy: samplingPolicySchema.parse(fields),
  });
}

const idsOf = (rollouts: readonly Rollout[]) =>
  rollouts.map(({ completionIds, finished }) => ({ completionIds, finished }));

const cases: readonly (readonly [string, ModelConfig, object, readonly number[]])[] = [
  ...Object.entries(configs).map(([name, config]) => [name, config, {}, [2, 4]] as const),
  ["no end", llama, {}, []],
  ["greedy", llama, { greedy: true }, [0]],
  ["top-k", llama, { topK: 3 }, [0]],
  ["top-p", llama, { topP: 0.8 }, [0]],
  ["all of them", llama, { topK: 4, topP: 0.9, samplingTemperature: 1.5 }, [0]],
];

const rounds = 6;

/** Rounds of other prompts and random numbers, with other weights from one to the next: the ids of each. */
async function sampleRounds(prepare: (model: Decoder) => void): Promise<object[]> {
  using model = tinyDecoder(modelConfigSchema.parse({ ...llama, numLayers: 1, maxPositions: 128 }));
  prepare(model);
  const trained = model.trainableParameters();
  using optimizer = new AdamW(trained);
  const gradients = new Map([...trained].map(([name, { shape }]) => [name, tf.ones(shape)]));
  const scale = tf.scalar(1);
  const ids: object[] = [];
  for (let round = 0; round < rounds; round++) {
    const sampled = await sampleRollouts({
      ...{ model, endIds: [], padId: 1, maxNewTokens: 72, random: new Random(round) },
      prompts: prompts.map((prompt) => prompt.map((id) => (id + round) % 7)),
      policy: samplingPolicySchema.parse({}),
    });
    ids.push(idsOf(sampled));
    optimizer.apply(gradients, 0.1, scale);
  }
  tf.dispose([scale, ...gradients.values()]);
  return ids;
}

const kinds: readonly (readonly [string, (model: Decoder) => void])[] = [
  ["all weights", () => undefined],
  [
    "an adapter",
    (model) => {
      const options = { rank: 2, alpha: 4, targets: ["q_proj", "down_proj"] };
      addAdapter(model, "one", { ...options, random: new Random(3) });
      setActiveAdapter(model, "one");
    },
  ],
];

describe.skipIf(!hasVulkan)(onWebGpu, () => {
  afterAll(useCpu);

  test.skipIf(!hasLavapipe).each(kinds)(
    `replayed, while %s change, ${onLavapipe}`,
    async (_, prepare) => {
      await useCpu();
      const expected = await sampleRounds(prepare);
      expect(new Set(expected.map((ids) => JSON.stringify(ids))).size).toBe(rounds);
      await useWebGpu();
      const backend = tf.backend() as unknown as PooledBackend;
      const before = backend.replayReport().byName;
      expect(await sampleRounds(prepare)).toEqual(expected);
      const { byName, reasons } = backend.replayReport();
      const replayed = (name: string) =>
        (byName[name]?.replayed ?? 0) - (before[name]?.replayed ?? 0);
      // From the fourth round on: once to pack, and with two looks, the second of which goes on with what is cached.
      expect(replayed("packing"), JSON.stringify(reasons)).toBe(rounds - 3);
      expect(replayed("sampling"), JSON.stringify(reasons)).toBe(2 * (rounds - 3));
    },
  );

  test.each(cases)("%s", async (_, config, fields, endIds) => {
    await useCpu();
    const expected = await sample(config, fields, endIds);
    await useWebGpu();
    const sampled = await sample(config, fields, endIds);
    expect(idsOf(sampled)).toEqual(idsOf(expected));
    for (const [row, { tokenLogProbs }] of sampled.entries()) {
      for (const [t, logProb] of tokenLogProbs.entries()) {
        expect(logProb).toBeCloseTo(expected[row]?.tokenLogProbs[t] as number, 4);
      }
    }
  });
});
