import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import {
  modelTeacher,
  type ModelTeacherOptions,
  routedTeacher,
  type RouteRule,
  type TokenSignal,
} from "../../../../src/teachers/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";

const config = modelConfigSchema.parse({
  family: "llama",
  vocabSize: 11,
  hiddenSize: 8,
  numLayers: 1,
  numHeads: 2,
  maxPositions: 20,
  initializerRange: 0.4,
});
const teacherOf = (seed: number, options?: ModelTeacherOptions) =>
  modelTeacher(initializeDecoder(config, new Random(seed)), `model ${seed}`, options);
const promptText = (ids: readonly number[]) => ids.map((id) => "abcdefghijk"[id]).join("");

const rows: TokenSequence[] = [
  { ids: [0, 1, 2, 3], completionStart: 2, id: "math.jsonl:1" },
  { ids: [4, 5, 6], completionStart: 1, id: "code.jsonl:7" },
  { ids: [0, 9, 8, 7, 6], completionStart: 2 },
];

function routed(rules: readonly (RouteRule | undefined)[], options?: ModelTeacherOptions) {
  const members = rules.map((when, i) => ({ teacher: teacherOf(i + 1, options), when }));
  return routedTeacher(members, promptText);
}

describe("a teacher per row", () => {
  const signals: TokenSignal[] = ["teacherTokenIds", "teacherTopLogProbs", "teacherTokenLogProbs"];

  test.each([
    ["by prompt", { prompt: "^a" }, [0, 1, 0]],
    ["by name", { id: "^math" }, [0, 1, 1]],
    ["by both", { id: "^math", prompt: "b$" }, [0, 1, 1]],
  ])("%s scores exactly its rows", async (_name, when, expected) => {
    using teacher = routed([when, undefined], { topK: 3 });
    using batch = makeBatch(rows, 0);
    const scores = await teacher.score(batch, signals);
    const count = (index: number) => expected.filter((other) => other === index).length;
    expect(scores.routedRows).toEqual({ "model 1": count(0), "model 2": count(1) });
    using first = teacherOf(1, { topK: 3 });
    using second = teacherOf(2, { topK: 3 });
    const own = await Promise.all([first, second].map((single) => single.score(batch, signals)));
    tf.tidy(() => {
      const given = scores.tensors();
      const singles = own.map((single) => single.tensors());
      for (const signal of signals) {
        for (const [row, { ids }] of rows.entries()) {
          const part = (tensor: tf.Tensor | undefined) =>
            [...(tensor as tf.Tensor).gather([row]).dataSync()].slice(
              0,
              (ids.length - 1) * (signal === "teacherTokenLogProbs" ? 1 : 3),
            );
          expect(part(given[signal])).toEqual(part(singles[expected[row] as number]?.[signal]));
        }
      }
    });
  });

  test("draws the same tokens however the rows are put into batches", async () => {
    using teacher = routed([{ prompt: "^a" }, undefined], { samples: 4 });
    const random = new Random(3);
    const drawn = async (part: readonly TokenSequence[], firstRow: number) => {
      using batch = makeBatch(part, 0);
      const scores = await teacher.score(batch, ["teacherTokenIds"], { random, firstRow });
      return tf.tidy(() => scores.tensors().teacherTokenIds?.arraySync() ?? []);
    };
    const whole = await drawn(rows, 0);
    const last = await drawn(rows.slice(2), 2);
    expect(last[0]).toEqual(whole[2]);
  });

  test("draws for every row what its own teacher draws, also where neighbours have the same", async () => {
    const two = { prompt: "^[ae]" };
    const mixed = [...rows, { ids: [1, 2], completionStart: 1 }, rows[0] as TokenSequence];
    using teacher = routed([two, undefined], { samples: 3 });
    using batch = makeBatch(mixed, 0);
    const drawn = async (of: typeof teacher) => {
      const context = { random: new Random(3), firstRow: 2 };
      const scores = await of.score(batch, ["teacherTokenIds"], context);
      const ids = tf.tidy(() => scores.tensors().teacherTokenIds?.arraySync());
      return { ids: ids as number[][][], rows: scores.routedRows };
    };
    const { ids, rows: counts } = await drawn(teacher);
    expect(counts).toEqual({ "model 1": 4, "model 2": 1 });
    using first = teacherOf(1, { samples: 3 });
    using second = teacherOf(2, { samples: 3 });
    const alone = [(await drawn(first)).ids, (await drawn(second)).ids];
    for (const [row, index] of [0, 0, 0, 1, 0].entries()) {
      const length = (mixed[row]?.ids.length as number) - 1;
      expect(ids[row]?.slice(0, length)).toEqual(alone[index]?.[row]?.slice(0, length));
    }
  });

  test("writes with the teacher of the prompt", async () => {
    using teacher = routed([{ prompt: "^a" }, undefined]);
    const options = {
      endIds: [],
      padId: 0,
      maxNewTokens: 4,
      policy: ownDistribution,
      random: new Random(1),
    };
    const prompts = [[1, 2], [0, 3], [4]];
    const rollouts = await teacher.complete?.(prompts, options);
    using second = teacherOf(2);
    const alone = await second.complete?.(prompts, options);
    expect(rollouts?.map(({ promptIds }) => promptIds)).toEqual(prompts);
    expect(rollouts?.[0]).toEqual(alone?.[0]);
    expect(rollouts?.[2]).toEqual(alone?.[2]);
    expect(rollouts?.[1]).not.toEqual(alone?.[1]);
  });

  test("is missing for a row that no rule matches: known before, an error when scored", async () => {
    using teacher = routed([{ prompt: "^a" }, { id: "^xy" }]);
    expect(rows.map((row) => teacher.knows?.(row))).toEqual([true, false, true]);
    using batch = makeBatch(rows, 0);
    await expect(teacher.score(batch, ["teacherLogits"])).rejects.toThrow(
      /No teacher's `when` matches the row code\.jsonl:7 with the prompt "e"\. Give the last teacher no `when`/,
    );
  });

  test("cannot give another number of tokens than its neighbour", async () => {
    const members = [
      { teacher: teacherOf(1, { topK: 2 }), when: { prompt: "^a" } },
      { teacher: teacherOf(2, { topK: 3 }) },
    ];
    using teacher = routedTeacher(members, promptText);
    using batch = makeBatch(rows, 0);
    const scores = await teacher.score(batch, ["teacherTokenIds"]);
    expect(() => tf.tidy(() => scores.tensors())).toThrow(
      /The teachers give 2 and 3 tokens per position\. Give all of them the same topK/,
    );
  });

  test("knows only what each of them knows, and gives only what all give", () => {
    const first = { ...teacherOf(1, { topK: 2 }), scoresOnly: "some rows", knows: () => false };
    using teacher = routedTeacher(
      [{ teacher: first, when: { prompt: "^a" } }, { teacher: teacherOf(2) }],
      promptText,
    );
    expect(teacher.scoresOnly).toBe("some rows");
    expect(rows.map((row) => teacher.knows?.(row))).toEqual([false, true, false]);
    expect(teacher.provides).toEqual(["teacherLogits", "teacherTokenLogProbs"]);
  });
});
