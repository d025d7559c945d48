import { expect, test, describe } from "vitest";
import { PupilError } from "../../../src/errors/index.js";
import {
  rolloutToSequence,
  sampleRollouts,
  type SampleRolloutsOptions,
  samplingPolicySchema,
} from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { ChainModel } from "../../setup/models/chain-model.js";

const greedy = samplingPolicySchema.parse({ greedy: true });

function sample(model: ChainModel, options: Partial<SampleRolloutsOptions>) {
  return sampleRollouts({
    model,
    prompts: [],
    endIds: [9],
    padId: 0,
    maxNewTokens: 20,
    policy: greedy,
    random: new Random(1),
    ...options,
  });
}

const completions = async (model: ChainModel, options: Partial<SampleRolloutsOptions>) =>
  (await sample(model, options)).map(({ completionIds }) => completionIds);

describe("ends", () => {
  test("a completion ends with the sampled end id; rows end on their own", async () => {
    const rollouts = await sample(new ChainModel(10), { prompts: [[1, 5], [7], [3, 4, 5, 6]] });
    expect(rollouts.map((r) => r.completionIds)).toEqual([
      [6, 7, 8, 9],
      [8, 9],
      [7, 8, 9],
    ]);
    expect(rollouts.every((r) => r.finished)).toBe(true);
    expect(rollouts.map((r) => r.promptIds)).toEqual([[1, 5], [7], [3, 4, 5, 6]]);
    for (const { tokenLogProbs, completionIds } of rollouts) {
      expect(tokenLogProbs.length).toBe(completionIds.length);
    }
  });

  test("the end id survives where padding has the same id", async () => {
    const options = { prompts: [[5], [1, 2, 7]], endIds: [9], padId: 9 };
    expect(await completions(new ChainModel(10), options)).toEqual([
      [6, 7, 8, 9],
      [8, 9],
    ]);
  });

  test("an end id in the prompt ends nothing", async () => {
    expect(await completions(new ChainModel(10), { prompts: [[9, 9, 6]] })).toEqual([[7, 8, 9]]);
    expect(await completions(new ChainModel(10), { prompts: [[9]], maxNewTokens: 2 })).toEqual([
      [0, 1],
    ]);
  });

  test("any of several end ids ends a completion; without one it is cut off", async () => {
    expect(await completions(new ChainModel(10), { prompts: [[5]], endIds: [9, 7] })).toEqual([
      [6, 7],
    ]);
    const [cut] = await sample(new ChainModel(10), {
      prompts: [[5]],
      endIds: [],
      maxNewTokens: 7,
    });
    expect(cut).toMatchObject({ completionIds: [6, 7, 8, 9, 0, 1, 2], finished: false });
  });

  test("sampling stops when the last row has ended, with one forward pass per token", async () => {
    const model = new ChainModel(10);
    await sample(model, { prompts: [[7], [4]], maxNewTokens: 50 });
    expect(model.seen.length).toBe(5);
    await sample(model, { prompts: [] });
    expect(model.seen.length).toBe(5);
  });
});

test("prompts are padded on the left, and rows that have ended see only hidden padding", async () => {
  const model = new ChainModel(10);
  await sample(model, { prompts: [[8], [4, 5, 6]], padId: 2 });
  expect(model.seen).toEqual([
    {
      inputIds: [
        [2, 2, 8],
        [4, 5, 6],
      ],
      attentionMask: [
        [0, 0, 1],
        [1, 1, 1],
      ],
      positionIds: [
        [0, 0, 0],
        [0, 1, 2],
      ],
    },
    {
      inputIds: [[2], [7]],
      attentionMask: [
        [0, 0, 1, 0],
        [1, 1, 1, 1],
      ],
      positionIds: [[0], [3]],
    },
    {
      inputIds: [[2], [8]],
      attentionMask: [
        [0, 0, 1, 0, 0],
        [1, 1, 1, 1, 1],
      ],
      positionIds: [[0], [4]],
    },
  ]);
});

describe("the context", () => {
  test("cuts each row where it is full, whatever the other rows are", async () => {
    const prompts = [[1], [1, 2, 3, 4], [1, 2], [1, 2, 3]];
    const options = { prompts, endIds: [], maxNewTokens: 3 };
    // Four positions: after a prompt of n tokens, 5 − n more, as the last is not fed back.
    const rollouts = await sample(new ChainModel(10, 4), options);
    expect(rollouts.map((r) => r.completionIds)).toEqual([[2, 3, 4], [5], [3, 4, 5], [4, 5]]);
    expect(rollouts.some((r) => r.finished)).toBe(false);
  });

  test("refuses a prompt that is longer, before anything is sampled", async () => {
    const model = new ChainModel(10, 4);
    const error = await sample(model, { prompts: [[1], [1, 2, 3, 4, 5]] }).catch((e) => e);
    expect(error).toBeInstanceOf(PupilError);
    expect(error.message).toContain("prompts[1]: the prompt has 5 tokens");
    expect(model.seen).toEqual([]);
  });
});

test.each([
  [[[1], []], "prompts[1]: the prompt is empty"],
  [[[1, 12]], "prompts[0]: token id 12 is not in the model's vocabulary of 10"],
  [[[-1]], "token id -1"],
  [[[1.5]], "token id 1.5"],
  [[[10]], "token id 10"],
])("prompts %j are refused", async (prompts, message) => {
  await expect(sample(new ChainModel(10), { prompts })).rejects.toThrow(message);
});

test.each([true, false])(
  "logits that are not finite are an error (greedy %s)",
  async (isGreedy) => {
    const model = new ChainModel(10, 100, Number.NaN);
    const policy = samplingPolicySchema.parse({ greedy: isGreedy, topK: 3 });
    const error = await sample(model, { prompts: [[1]], policy }).catch((e) => e);
    expect(error).toBeInstanceOf(PupilError);
    expect(error.message).toContain("token 1 of completion 1: the model's logits are not finite");
  },
);

test("a rollout becomes a training row whose completion is learned", () => {
  const rollout = { promptIds: [1, 2], completionIds: [3, 9], tokenLogProbs: [0, 0] };
  expect(rolloutToSequence({ ...rollout, finished: true })).toEqual({
    ids: [1, 2, 3, 9],
    completionStart: 2,
  });
});

test("from a row of the data it takes what the data says: the completion as reference, the name", () => {
  const rollout = { promptIds: [1, 2], completionIds: [3], tokenLogProbs: [0], finished: false };
  const source = { ids: [1, 2, 7, 8], completionStart: 2 };
  const expected = { ids: [1, 2, 3], completionStart: 2, reference: [7, 8] };
  expect(rolloutToSequence(rollout, source)).toEqual(expected);
  expect(rolloutToSequence(rollout, { ...source, id: "a:1" })).toEqual({ ...expected, id: "a:1" });
});

test("the first and the last id of the vocabulary are fine in a prompt", async () => {
  expect(await completions(new ChainModel(10), { prompts: [[0, 9, 7]] })).toEqual([[8, 9]]);
});

test("a source is told how many columns there may be: the longest prompt and what is sampled", async () => {
  const model = new ChainModel(10, 8);
  const capacities: (number | undefined)[] = [];
  const createCache = model.createCache.bind(model);
  model.createCache = (capacity?: number) => {
    capacities.push(capacity);
    return createCache();
  };
  await sample(model, { prompts: [[1], [1, 2, 3], [1, 2]], maxNewTokens: 4 });
  await sample(model, { prompts: [[1, 2, 3, 4, 5, 6]], maxNewTokens: 4 });
  // The last one has room for three.
  expect(capacities).toEqual([3 + 4, 6 + 3]);
});

test("prompts that are no list are refused by name", async () => {
  await expect(sample(new ChainModel(6), { prompts: undefined as never })).rejects.toThrow(
    /^sampleRollouts: prompts: is missing\. Give it lists of token ids/,
  );
});

test("a shorter context than the model's own is the limit, and a longer one is not", async () => {
  const written = async (maxPositions?: number) => {
    const options = { prompts: [[1]], endIds: [], maxNewTokens: 9, maxPositions };
    const [ids] = await completions(new ChainModel(40, 8), options);
    return ids?.length;
  };
  // The last token is not fed back.
  expect([await written(), await written(100), await written(3)]).toEqual([8, 8, 3]);
});
