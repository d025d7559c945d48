import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../src/data/index.js";
import {
  checkDistributionOptions,
  drawsOf,
  logitSignals,
  drawNumbers,
  signalsFromLogits,
} from "../../../src/teachers/logit-signals.js";
import type { TeacherSignal } from "../../../src/teachers/signals.js";
import { Random } from "../../../src/tensors/index.js";

test("the likeliest tokens and draws are given where they are asked for", () => {
  const always = ["teacherLogits", "teacherTokenLogProbs"];
  const lists = ["teacherTokenIds", "teacherTopLogProbs"];
  expect(logitSignals({})).toEqual(always);
  expect(logitSignals({ topK: 2 })).toEqual([...always, ...lists]);
  expect(logitSignals({ samples: 2 })).toEqual([...always, ...lists, "teacherSampleLogProbs"]);
});

test("only draws have a temperature, and only one that was set", () => {
  expect(drawsOf({ samples: 2, sampleTemperature: 1.5 })).toEqual({ sampleTemperature: 1.5 });
  expect(drawsOf({ samples: 2 })).toEqual({});
  expect(drawsOf({ topK: 2, sampleTemperature: 1.5 })).toEqual({});
});

test("not both, and no more than there are", () => {
  expect(() => checkDistributionOptions({ topK: 2, samples: 2 }, 9)).toThrow(
    "teacher: gives either its likeliest tokens (topK) or draws (samples), not both.",
  );
  expect(() => checkDistributionOptions({ topK: 10 }, 9)).toThrow(
    /teacher\.topK: is 10, more than the teacher's vocabulary of 9 tokens\. Lower it/,
  );
  for (const right of [{}, { topK: 9 }, { samples: 99 }]) checkDistributionOptions(right, 9);
});

test("of what is known only what is asked for", () => {
  using batch = makeBatch([{ ids: [0, 2, 1], completionStart: 1 }], 0);
  const context = { random: new Random(1), firstRow: 0 };
  const given = (needs: TeacherSignal[], options: object, withContext = true) =>
    tf.tidy(() => {
      const logits = tf.tensor3d([
        [
          [0, 1, 3],
          [2, -1, 0],
        ],
      ]);
      const numbers = drawNumbers(batch, needs, options, withContext ? context : undefined);
      const all = signalsFromLogits(logits, batch, needs, options, numbers);
      return Object.fromEntries(
        Object.entries(all).map(([name, tensor]) => [name, (tensor as tf.Tensor).arraySync()]),
      );
    });
  expect(Object.keys(given(["teacherLogits"], { topK: 2 }))).toEqual(["teacherLogits"]);
  expect(given(["teacherTokenIds"], { topK: 2 })).toEqual({
    teacherTokenIds: [
      [
        [2, 1],
        [0, 2],
      ],
    ],
  });
  const total = Math.log(1 + Math.exp(1) + Math.exp(3));
  const { teacherTopLogProbs } = given(["teacherTopLogProbs"], { topK: 1 });
  expect((teacherTopLogProbs as number[][][])[0]?.[0]?.[0]).toBeCloseTo(3 - total, 6);
  const { teacherTokenLogProbs } = given(["teacherTokenLogProbs"], {});
  expect((teacherTokenLogProbs as number[][])[0]?.[0]).toBeCloseTo(3 - total, 6);

  const samples = { samples: 3, sampleTemperature: 2 };
  const drawn = given(
    ["teacherTokenIds", "teacherTopLogProbs", "teacherSampleLogProbs"],
    samples,
  ) as Record<string, number[][][]>;
  const proposal = [0, 0.5, 1.5];
  const norm = Math.log(proposal.reduce((sum, x) => sum + Math.exp(x), 0));
  for (const [i, id] of (drawn["teacherTokenIds"]?.[0]?.[0] ?? []).entries()) {
    const [own, theirs] = [drawn["teacherTopLogProbs"], drawn["teacherSampleLogProbs"]];
    expect(own?.[0]?.[0]?.[i]).toBeCloseTo(([0, 1, 3][id] as number) - total, 5);
    expect(theirs?.[0]?.[0]?.[i]).toBeCloseTo((proposal[id] as number) - norm, 5);
  }
  expect(drawn["teacherTokenIds"]?.[0]?.[0]).toHaveLength(3);
  expect(() => given(["teacherTokenIds"], { samples: 3 }, false)).toThrow(/random stream/);
});
