/**
 * A teacher that rules tokens out (logits of −Infinity): its likeliest tokens, its draws, and what is
 * logged of it, against values worked out by hand.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBatch } from "../../src/data/index.js";
import { evaluateTerm, lossTerm, sparseKlLoss } from "../../src/losses/index.js";
import { drawNumbers, signalsFromLogits } from "../../src/teachers/logit-signals.js";
import { Random } from "../../src/tensors/index.js";
import { diagnosticSums } from "../../src/trainers/diagnostics/diagnostics.js";
import { useCpu } from "../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../setup/backends/wasm-engine.js";

const { log } = Math;
const none = -Infinity;
/** Position 0: 1/2, 1/4, 1/4, 0, 0. Position 1: the third token alone. */
const teacher = [
  [log(2), 0, 0, none, none],
  [none, none, 7, none, none],
];
/** 1/2, 0, 1/4, 1/4, 0, and 1/5 each. */
const student = [
  [log(2), none, 0, 0, none],
  [0, 0, 0, 0, 0],
];
const logitsOf = (rows: number[][]) => tf.tensor3d([rows]);
const sequence = { ids: [0, 1, 2], completionStart: 1 };
const tokenSignals = ["teacherTokenIds", "teacherTopLogProbs"] as const;

function numbers(tensors: Readonly<Record<string, tf.Tensor>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync()[0] as number]),
  );
}

function expectClose(found: Record<string, number>, wanted: Record<string, number>): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, want] of Object.entries(wanted)) {
    const value = found[name] as number;
    const isClose = value === want || Math.abs(value - want) < 1e-5;
    expect(isClose, `${name} is ${value}, not ${want}`).toBe(true);
  }
}

function checkLikeliest(): void {
  using batch = makeBatch([sequence], 0);
  tf.tidy(() => {
    const options = { topK: 4 };
    const numbers = drawNumbers(batch, tokenSignals, options, undefined);
    const given = signalsFromLogits(logitsOf(teacher), batch, tokenSignals, options, numbers);
    const ids = given.teacherTokenIds?.arraySync()[0] as number[][];
    const logProbs = given.teacherTopLogProbs?.arraySync()[0] as number[][];
    expect(ids[0]?.slice(0, 3).sort()).toEqual([0, 1, 2]);
    expect(ids[1]?.[0]).toBe(2);
    // Each id once, those that the teacher rules out behind the others.
    for (const list of ids) expect(new Set(list).size).toBe(4);
    expectClose(Object.fromEntries((logProbs[0] ?? []).entries()), {
      0: log(0.5),
      1: log(0.25),
      2: log(0.25),
      3: none,
    });
    expectClose(Object.fromEntries((logProbs[1] ?? []).entries()), {
      0: 0,
      1: none,
      2: none,
      3: none,
    });

    // KL(T ‖ S) where the list holds all that the teacher allows: ½ log(½ / ⅕) + 2 · ¼ log(¼ / ⅕).
    const uniform = logitsOf([student[1] as number[], student[1] as number[]]);
    const kl = evaluateTerm(lossTerm(sparseKlLoss, {}), { studentLogits: uniform, ...given });
    const [first, second] = [...kl.dataSync()];
    expectClose(
      { first: first as number, second: second as number },
      { first: 0.5 * log(2.5) + 0.5 * log(1.25), second: log(5) },
    );
  });
}

function checkDraws(): void {
  using batch = makeBatch([sequence], 0);
  tf.tidy(() => {
    const context = { random: new Random(3), firstRow: 0 };
    const options = { samples: 64 };
    const numbers = drawNumbers(batch, tokenSignals, options, context);
    const given = signalsFromLogits(logitsOf(teacher), batch, tokenSignals, options, numbers);
    const [first = [], second = []] = given.teacherTokenIds?.arraySync()[0] as number[][];
    expect(new Set(first)).toEqual(new Set([0, 1, 2]));
    expect(new Set(second)).toEqual(new Set([2]));
    for (const value of given.teacherTopLogProbs?.dataSync() ?? []) {
      expect(value).toBeGreaterThan(-2);
    }
  });
}

function checkDiagnostics(): void {
  const found = tf.tidy(() => {
    const [s, t] = [logitsOf(student), logitsOf(teacher)];
    const both = [0, 1].map((row) =>
      numbers(
        diagnosticSums(
          { student: { logits: s }, teacher: { logits: t } },
          tf.tensor1d([row], "int32"),
        ),
      ),
    );
    return both;
  });
  expectClose(found[0] ?? {}, {
    // The student rules out the second token, the teacher the fourth.
    ...{ forwardKl: Infinity, reverseKl: Infinity },
    ...{ studentEntropy: 1.5 * log(2), teacherEntropy: 1.5 * log(2) },
    ...{ totalVariation: 0.25, topOneAgreement: 1 },
  });
  expectClose(found[1] ?? {}, {
    ...{ forwardKl: log(5), reverseKl: Infinity, studentEntropy: log(5), teacherEntropy: 0 },
    ...{ totalVariation: 0.8, topOneAgreement: 0 },
  });
}

function checkCoarse(): void {
  const found = tf.tidy(() => {
    const sparse = {
      teacherTokenIds: tf.tensor3d([0, 1, 3, 2, 0, 1], [1, 2, 3], "int32"),
      teacherTopLogProbs: tf.tensor3d([log(0.5), log(0.25), none, 0, none, none], [1, 2, 3]),
    };
    const of = (row: number) =>
      numbers(
        diagnosticSums(
          { student: { logits: logitsOf(student) }, sparse },
          tf.tensor1d([row], "int32"),
        ),
      );
    return [of(0), of(1)];
  });
  // Listed 0, 1, 3: T ½ ¼ 0 and ¼ besides; S ½ 0 ¼ and ¼ besides.
  expectClose(found[0] ?? {}, {
    ...{ coarseForwardKl: Infinity, coarseReverseKl: Infinity, coarseTotalVariation: 0.25 },
    ...{ studentTailMass: 0.25, teacherTailMass: 0.25, topOneAgreement: 1 },
    studentEntropy: 1.5 * log(2),
  });
  // Listed 2, 0, 1: T 1 0 0 and nothing besides (1e-7 in the log); S ⅕ each and ⅖ besides.
  expectClose(found[1] ?? {}, {
    ...{ coarseForwardKl: log(5), coarseReverseKl: Infinity, coarseTotalVariation: 0.8 },
    ...{ studentTailMass: 0.4, teacherTailMass: 1e-7, topOneAgreement: 0 },
    studentEntropy: log(5),
  });
}

function checkAll(): void {
  checkLikeliest();
  checkDraws();
  checkDiagnostics();
  checkCoarse();
}

test("a masked teacher on the composed kernels", checkAll);

describe.each(engineVariants)("a masked teacher on the engine: $name", ({ options }) => {
  beforeAll(async () => void (await useWasmEngine(options)));
  afterAll(useCpu);
  test("says the same", checkAll);
});
