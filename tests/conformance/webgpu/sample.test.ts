/** Tokens sampled on the device, several between two reads, against the same sampled on cpu one by one. */
import { afterAll, describe, expect, test } from "vitest";
import type { ModelConfig } from "../../../src/models/index.js";
import { type Rollout, sampleRollouts, samplingPolicySchema } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";
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

describe.skipIf(!hasVulkan)(onWebGpu, () => {
  afterAll(useCpu);

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
