/** Random numbers are a function of the seed and of what they are for: by these names, in every version. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PreparedData } from "../../../../../src/config/index.js";
import type { Decoder } from "../../../../../src/models/index.js";
import { compareRunSupports } from "../../../../../src/node/index.js";
import { evaluatorOf } from "../../../../../src/node/runs/run-evaluation.js";
import { Random } from "../../../../../src/tensors/index.js";
import { ChainModel } from "../../../../setup/models/chain-model.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

/** What is asked of streams until the test has finished, each once. */
function watchStreams(): Set<string> {
  const asked = new Set<string>();
  const real = Random.prototype.stream;
  const spy = vi.spyOn(Random.prototype, "stream").mockImplementation(function (
    this: Random,
    ...path: Parameters<typeof real>
  ) {
    asked.add(path.filter((part) => typeof part === "string").join(" "));
    return real.apply(this, path);
  });
  onTestFinished(() => spy.mockRestore());
  return asked;
}

const few = { steps: 1, batchSize: 2, warmupSteps: 0 };
const evaluation = { every: 0, rows: 1, maxNewTokens: 2 };
const ranked = { type: "task", task: { type: "rerank", topics: 4, synonyms: 1, candidates: 3 } };

describe("the streams of a run", () => {
  test.each([
    ["sft", { trainer: { type: "sft", ...few } }, ["data", "weights", "evaluation"]],
    [
      "distill",
      {
        teacher: true,
        trainer: { type: "distill", ...few, maxNewTokens: 2, loss: [{ type: "reverse-kl" }] },
      },
      ["data", "weights", "evaluation", "teacher", "projections", "train", "rollout"],
    ],
    [
      "reinforce",
      { trainer: { type: "reinforce", ...few, maxNewTokens: 2, rewards: [{ type: "length" }] } },
      ["data", "weights", "evaluation", "train", "rollout"],
    ],
    [
      "pairs",
      { teacher: true, trainer: { type: "pairs", ...few, loss: [{ type: "dpo" }] } },
      ["data", "weights", "evaluation", "teacher", "train", "reference"],
    ],
    [
      "rank",
      {
        data: ranked,
        trainer: {
          ...{ type: "rank", ...few, candidates: 2 },
          loss: [{ type: "candidate-cross-entropy", scores: "relevance" }],
        },
      },
      ["data", "weights", "train", "candidates"],
    ],
  ])("%s", async (_type, { teacher, ...changes }: Record<string, unknown>, names) => {
    const folder = temporaryFolder();
    const from = teacher === true ? await saveTinyTeacher(folder) : undefined;
    const asked = watchStreams();
    await runToEnd(tinyRun(folder, { evaluation, ...(from && { teacher: { from } }), ...changes }));
    for (const name of names) expect([...asked], name).toContain(name);
  });

  test("of a comparison of supports", async () => {
    const config = tinyRun("runs", {
      teacher: { type: "hidden-markov", states: 2 },
      trainer: { type: "distill", ...few, loss: [{ type: "reverse-kl" }] },
    });
    const asked = watchStreams();
    const gradients = "logits" as const;
    await compareRunSupports({
      config,
      positions: 1,
      draws: 3,
      ks: [1],
      gradients,
      json: undefined,
    });
    expect([...asked]).toContain("supports");
  });

  test("of windows, which every set has its own for", async () => {
    const candidates = [0, 1].map((grade) => ({ docid: `d${grade}`, text: "", ids: [1], grade }));
    const lists = [{ queryId: "q", query: "", candidates }];
    const set = (name: string) => ({ name, rows: [], prompts: [], lists });
    const data = { evaluation: [set("one"), set("two")], maxNewTokens: 1 };
    const tokenizer = {
      vocabSize: 11,
      startIds: [],
      endIds: [10],
      padId: 0,
      encode: () => [0],
      decode: () => "",
    };
    const config = tinyRun("none", { evaluation: { window: { size: 2, stride: 1 } } });
    const asked = watchStreams();
    await evaluatorOf(config, {
      ...{ student: new ChainModel(11) as unknown as Decoder, teacher: undefined, ownRewards: [] },
      ...{ data: data as unknown as PreparedData, tokenizer: tokenizer as never },
      random: new Random(1),
    })();
    for (const name of ["evaluation one", "evaluation two"]) expect([...asked]).toContain(name);
  });
});
