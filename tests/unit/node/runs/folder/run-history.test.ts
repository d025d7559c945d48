import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { differences } from "../../../../../src/node/runs/folder/differences.js";
import { emptyHistory } from "../../../../../src/node/runs/folder/run-history.js";
import { versions } from "../../../../../src/node/runs/folder/versions.js";
import { noCost } from "../../../../../src/rollouts/index.js";
import type { StepMetrics } from "../../../../../src/trainers/index.js";

const step = (number: number, more: object = {}): StepMetrics => ({
  ...{ step: number, loss: 1, terms: {}, diagnostics: {}, gradNorm: 1, learningRate: 0.1 },
  ...{ tokens: 10, paddingShare: 0, onPolicyShare: 0, elapsedMs: 200, ...more },
});
const cost = { studentTokens: 1, studentForwards: 2, teacherTokens: 3, teacherForwards: 4 };

describe("a run's history", () => {
  test("begins with nothing", () => {
    const history = emptyHistory();
    expect(history).toMatchObject({ initial: undefined, last: undefined, tokens: 0 });
    expect(history).toMatchObject({ trainingMs: 0, cost: noCost, diverged: false });
    expect(history.missing(3)).toBe(3);
  });

  test("sums its steps up, and knows how many it has not", () => {
    const history = emptyHistory();
    history.addStep(step(1, { cost }));
    history.addStep(step(2, { tokens: 5, elapsedMs: 100 }));
    expect(history).toMatchObject({ tokens: 15, trainingMs: 300, cost });
    history.addStep(step(3, { cost }));
    expect(history.cost).toEqual({
      ...{ studentTokens: 2, studentForwards: 4, teacherTokens: 6, teacherForwards: 8 },
    });
    expect([history.missing(3), history.missing(5)]).toEqual([0, 2]);
  });

  test("keeps the first evaluation of step 0, and the last one", () => {
    const history = emptyHistory();
    const evaluation = (at: number) => ({ step: at, metrics: { "heldOut.loss": 3 - at } });
    history.addEvaluation(evaluation(1));
    expect([history.initial, history.last]).toEqual([undefined, evaluation(1)]);
    history.addEvaluation(evaluation(0));
    expect([history.initial, history.last]).toEqual([evaluation(0), evaluation(0)]);
    history.addEvaluation(evaluation(2));
    expect([history.initial, history.last]).toEqual([evaluation(0), evaluation(2)]);
  });

  test("is the same of the rows of a log as of what they were written for", () => {
    const [live, replayed] = [emptyHistory(), emptyHistory()];
    live.addEvaluation({ step: 0, metrics: { "heldOut.loss": 2 } });
    live.addStep(step(1, { cost }));
    const values = { loss: 1, gradNorm: 1, tokens: 10, elapsedMs: 200 };
    const costs = Object.fromEntries(Object.entries(cost).map(([k, v]) => [`cost.${k}`, v]));
    const time = "2026-01-01T00:00:00.000Z";
    const rows = [
      { type: "evaluation", step: 0, values: { "heldOut.loss": 2 } },
      { type: "step", step: 1, values: { ...values, ...costs } },
      // These say nothing that a summary has.
      { type: "resume", step: 1 },
      { type: "checkpoint", step: 1, path: "checkpoints/step-1" },
    ];
    for (const row of rows) replayed.replay({ time, ...row } as never);
    for (const name of ["initial", "last", "tokens", "cost", "trainingMs", "diverged"] as const) {
      expect(replayed[name], name).toEqual(live[name]);
    }
    expect(replayed.missing(1)).toBe(0);
  });

  test("tells what newly goes wrong, once, and whether it ends so", () => {
    const history = emptyHistory();
    const evaluated = (at: number, loss: number) =>
      history.addEvaluation({ step: at, metrics: { "heldOut.loss": loss } }).length;
    expect([evaluated(0, 1), history.diverged]).toEqual([0, false]);
    expect([evaluated(1, 100), history.diverged]).toEqual([1, true]);
    expect([evaluated(2, 100), history.diverged]).toEqual([0, true]);
    expect([evaluated(3, 1), history.diverged]).toEqual([0, false]);
  });

  test("diverges too where its loss does", () => {
    const history = emptyHistory();
    const warnings = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].flatMap((number) =>
      history.addStep(
        step(number, { loss: number === 1 ? 1 : 1e6, terms: { a: number === 1 ? 1 : 1e6 } }),
      ),
    );
    expect(warnings.map(({ warning }) => warning)).toEqual(["loss-diverges"]);
    expect(history.diverged).toBe(true);
    history.addStep(step(13, { terms: { a: 1 } }));
    expect(history.diverged).toBe(false);
  });
});

test("the places where two values differ, by their paths", () => {
  const was = { a: 1, b: { c: [1, 2], d: null }, e: "x" };
  expect(differences(was, structuredClone(was))).toEqual([]);
  expect(differences(was, { ...was, a: 2 })).toEqual(["a"]);
  expect(differences(was, { ...was, b: { c: [2, 1], d: undefined } })).toEqual(["b.c", "b.d"]);
  // What one of them alone has is one too, wherever it is.
  expect(differences({ a: 1 }, { b: { c: 1 } })).toEqual(["a", "b"]);
  expect(differences({ a: { x: 1 } }, { a: [1] })).toEqual(["a"]);
  expect(differences({ a: { x: 1 } }, { a: null })).toEqual(["a"]);
  expect(differences({ a: undefined }, {})).toEqual([]);
  expect(differences({ x: { y: { z: 1 } } }, { x: { y: { z: 2, w: 3 } } })).toEqual([
    ...["x.y.z", "x.y.w"],
  ]);
  expect([differences(1, 1), differences(1, "1")]).toEqual([[], [""]]);
});

test("the versions that can change a run's numbers", () => {
  const require = createRequire(import.meta.url);
  const versionOf = (path: string) => (require(path) as { version: string }).version;
  expect(versions()).toEqual({
    pupil: versionOf("../../../../../package.json"),
    node: process.version.slice(1),
    tfjs: versionOf("@tensorflow/tfjs-core/package.json"),
  });
});
