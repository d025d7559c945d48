/** Sampling from real decoders: the cache, the padding and the backend must not show. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { type Decoder, initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import {
  type Rollout,
  sampleRollouts,
  type SampleRolloutsOptions,
  samplingPolicySchema,
} from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { useWasmEngine } from "../../setup/backends/wasm-engine.js";

const vocabSize = 11;
const llama = { family: "llama", numHeads: 4, numKeyValueHeads: 2 };
const gpt2 = { family: "gpt2", numHeads: 2 };

/** Weights large enough that the distributions are far from uniform. */
function decoder(family: object): Decoder {
  const sizes = { vocabSize, hiddenSize: 16, intermediateSize: 24, numLayers: 2 };
  const options = { ...sizes, ...family, maxPositions: 24, initializerRange: 0.3 };
  return initializeDecoder(modelConfigSchema.parse(options), new Random(8));
}

const prompts = [[1, 2, 3, 4], [5], [6, 7], [8, 3, 5, 1, 2, 9]];

function sample(model: Decoder, options: Partial<SampleRolloutsOptions> = {}): Promise<Rollout[]> {
  return sampleRollouts({
    model,
    prompts,
    endIds: [10],
    padId: 0,
    maxNewTokens: 10,
    policy: samplingPolicySchema.parse({}),
    random: new Random(21),
    ...options,
  });
}

/** Log-probabilities `[T][V]` after each token of one row, without cache, padding or mask. */
function fullForward(model: Decoder, ids: readonly number[]): number[][] {
  return tf.tidy(() => {
    const inputIds = tf.tensor2d([[...ids]], [1, ids.length], "int32");
    return (tf.logSoftmax(model.forward({ inputIds })).arraySync() as number[][][])[0] ?? [];
  });
}

describe.each([
  ["llama", llama],
  ["gpt2", gpt2],
])("%s", (_name, family) => {
  test("greedy sampling is the argmax of full forward passes", async () => {
    using model = decoder(family);
    const policy = samplingPolicySchema.parse({ greedy: true });
    const options = { policy, endIds: [], maxNewTokens: 7 };
    for (const { promptIds, completionIds } of await sample(model, options)) {
      const ids = [...promptIds];
      for (const id of completionIds) {
        const last = fullForward(model, ids).at(-1) as number[];
        expect(id).toBe(last.indexOf(Math.max(...last)));
        ids.push(id);
      }
      expect(completionIds.length).toBe(7);
    }
  });

  test("token log-probs are those of a full forward pass, whatever the policy", async () => {
    using model = decoder(family);
    const policy = samplingPolicySchema.parse({ samplingTemperature: 0.7, topK: 5, topP: 0.9 });
    for (const rollout of await sample(model, { policy })) {
      const { promptIds, completionIds, tokenLogProbs } = rollout;
      const logProbs = fullForward(model, [...promptIds, ...completionIds]);
      for (const [i, id] of completionIds.entries()) {
        const expected = (logProbs[promptIds.length - 1 + i] as number[])[id] as number;
        expect(tokenLogProbs[i]).toBeCloseTo(expected, 4);
      }
    }
  });

  test("a row's tokens do not depend on the other rows or on padding", async () => {
    using model = decoder(family);
    const together = await sample(model);
    expect(new Set(together.map((r) => r.completionIds.join())).size).toBe(prompts.length);
    for (const [row, prompt] of prompts.entries()) {
      const [alone] = await sample(model, { prompts: [prompt], sequenceIds: [row] });
      expect(alone?.completionIds).toEqual(together[row]?.completionIds);
    }
    const sequenceIds = [3, 2, 1, 0];
    const reversed = await sample(model, { prompts: prompts.toReversed(), sequenceIds });
    const ids = (rollouts: Rollout[]) => rollouts.map((r) => r.completionIds);
    expect(ids(reversed)).toEqual(ids(together.toReversed()));
  });
});

test("a seed fixes the tokens, another seed or sequence id changes them", async () => {
  using model = decoder(llama);
  const ids = async (options: Partial<SampleRolloutsOptions>) =>
    (await sample(model, options)).map((r) => r.completionIds);
  const first = await ids({});
  expect(await ids({})).toEqual(first);
  expect(await ids({ random: new Random(22) })).not.toEqual(first);
  expect(await ids({ sequenceIds: [4, 5, 6, 7] })).not.toEqual(first);
});

describe("backends", () => {
  afterEach(useCpu);

  test.each([
    ["llama", llama],
    ["gpt2", gpt2],
  ])("%s: the engine samples the same tokens as cpu", async (_name, family) => {
    const policies = [{}, { topK: 5, topP: 0.8 }, { greedy: true }];
    const run = async () => {
      using model = decoder(family);
      const rollouts: Rollout[][] = [];
      for (const fields of policies) {
        const policy = samplingPolicySchema.parse(fields);
        rollouts.push(await sample(model, { policy, endIds: [], maxNewTokens: 10 }));
      }
      return rollouts.flat();
    };
    const onCpu = await run();
    await useWasmEngine({ numThreads: 2 });
    const onWasm = await run();
    for (const [i, rollout] of onWasm.entries()) {
      expect(rollout.completionIds).toEqual(onCpu[i]?.completionIds);
      for (const [t, logProb] of rollout.tokenLogProbs.entries()) {
        expect(logProb).toBeCloseTo(onCpu[i]?.tokenLogProbs[t] as number, 4);
      }
    }
  });
});
