import { expect, test } from "vitest";
import type { PreparedData } from "../../../../src/config/index.js";
import type { Tokenizer } from "../../../../src/data/index.js";
import type { Decoder } from "../../../../src/models/index.js";
import { evaluatorOf } from "../../../../src/node/runs/run-evaluation.js";
import { Random } from "../../../../src/tensors/index.js";
import { ChainModel } from "../../../setup/models/chain-model.js";
import { tinyRun } from "../../../setup/runs/runs.js";

/** What the chain of ids from 1 to 9 says; 10 ends it. */
const ranking = [..."[2] > [1]"];

const tokenizer = {
  ...{ vocabSize: 11, startIds: [], endIds: [10], padId: 0 },
  encode: () => [0],
  decode: (ids: readonly number[]) => ids.map((id) => ranking[id - 1] ?? "").join(""),
} as unknown as Tokenizer;

const candidates = [0, 1].map((grade) => ({ docid: `d${grade}`, text: "", ids: [1], grade }));
const data = {
  evaluation: [
    { name: "heldOut", rows: [], prompts: [], lists: [{ queryId: "q", query: "", candidates }] },
  ],
  maxNewTokens: 1,
} as unknown as PreparedData;

/** The share of windows whose ranking is whole, under settings. */
async function wholeRate(trainer: object, evaluation: object): Promise<number> {
  const config = tinyRun("none", {
    teacher: { from: "none" },
    trainer: {
      ...{ type: "distill", steps: 1, batchSize: 1, loss: [{ type: "reverse-kl" }] },
      ...trainer,
    },
    evaluation: { window: { size: 2, stride: 1 }, ...evaluation },
  });
  const student = new ChainModel(11) as unknown as Decoder;
  const parts = { student, teacher: undefined, tokenizer, data, ownRewards: [] };
  const { metrics } = await evaluatorOf(config, { ...parts, random: new Random(1) })();
  return metrics["heldOut.windowWholeRate"] as number;
}

test("rankings of windows are as long as completions of the training, unless the config says", async () => {
  expect(await wholeRate({ maxNewTokens: 9 }, {})).toBe(1);
  expect(await wholeRate({ maxNewTokens: 9 }, { maxNewTokens: 8 })).toBe(0);
  expect(await wholeRate({ maxNewTokens: 8 }, { maxNewTokens: 9 })).toBe(1);
  expect(await wholeRate({}, {})).toBe(0);
});
