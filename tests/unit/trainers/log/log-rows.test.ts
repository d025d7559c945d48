import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  flatMetrics,
  type LogRow,
  metricsOfRow,
  readLogRow,
} from "../../../../src/trainers/index.js";
import type { StepMetrics } from "../../../../src/trainers/index.js";

const metrics: StepMetrics = {
  ...{ step: 3, loss: 0.5, terms: { "reverse-kl": 0.25, "mine.v2": 1 } },
  diagnostics: { studentEntropy: 1.5 },
  ...{ gradNorm: Infinity, learningRate: 0.1, tokens: 8, paddingShare: 0, onPolicyShare: 1 },
  routedRows: { "models/a.b": 4 },
  routedDivergences: { "models/a.b": { forwardKl: 0.1 } },
  cost: { studentTokens: 1, teacherTokens: 2, studentForwards: 3, teacherForwards: 4 },
  lossStates: { taid: { t: 0.4, previousLoss: null } },
  ...{ isMidRollout: true, elapsedMs: 12 },
} as StepMetrics;
const time = "2026-01-02T03:04:05.678Z";

describe("the metrics of a step", () => {
  test("are flat in the log, each by the path that it has in StepMetrics", () => {
    expect(flatMetrics(metrics)).toEqual({
      ...{ loss: 0.5, "terms.reverse-kl": 0.25, "terms.mine.v2": 1 },
      "diagnostics.studentEntropy": 1.5,
      ...{ gradNorm: Infinity, learningRate: 0.1, tokens: 8, paddingShare: 0, onPolicyShare: 1 },
      ...{ "routedRows.models/a.b": 4, "routedDivergences.models/a.b.forwardKl": 0.1 },
      ...{ "cost.studentTokens": 1, "cost.teacherTokens": 2 },
      ...{ "cost.studentForwards": 3, "cost.teacherForwards": 4 },
      ...{ "lossStates.taid.t": 0.4, elapsedMs: 12 },
    });
  });

  test("are themselves again, but for what a loss does not remember yet", () => {
    const values = flatMetrics(metrics);
    const again = metricsOfRow({ type: "step", step: 3, time, isMidRollout: true, values });
    expect(again).toEqual({ ...metrics, lossStates: { taid: { t: 0.4 } } });
  });

  test("whatever terms and teachers are called", () => {
    const name = fc.stringMatching(/^[a-z][\w./-]{0,8}$/).filter((text) => text !== "__proto__");
    const values = fc.dictionary(name, fc.double({ noNaN: true }), { noNullPrototype: true });
    const routed = fc.dictionary(
      name,
      fc.record({ forwardKl: fc.double() }, { noNullPrototype: true }),
      { minKeys: 1, noNullPrototype: true },
    );
    fc.assert(
      fc.property(values, routed, (terms, routedDivergences) => {
        const some = { ...metrics, terms, routedDivergences, lossStates: { a: { b: 1 } } };
        const row = { type: "step", step: 3, time, values: flatMetrics(some) } as const;
        expect(metricsOfRow({ ...row, isMidRollout: true })).toEqual(some);
      }),
    );
  });
});

describe("a row of the log", () => {
  test.each<[object, LogRow]>([
    [
      { type: "step", step: 1, loss: "NaN", gradNorm: "-Infinity", isMidRollout: true },
      {
        ...{ type: "step", step: 1, time, isMidRollout: true },
        values: { loss: Number.NaN, gradNorm: -Infinity },
      },
    ],
    [
      { type: "evaluation", step: 0, "heldOut.perplexity": "Infinity" },
      { type: "evaluation", step: 0, time, values: { "heldOut.perplexity": Infinity } },
    ],
    [
      { type: "checkpoint", step: 2, path: "checkpoints/step-2" },
      { type: "checkpoint", step: 2, time, path: "checkpoints/step-2" },
    ],
    [
      { type: "resume", step: 2 },
      { type: "resume", step: 2, time },
    ],
  ])("%j is read", (fields, row) => {
    expect(readLogRow({ version: 2, time, ...fields })).toMatchObject(row);
  });

  test.each([
    ["no object", [1]],
    ["another type", { version: 2, type: "toString", step: 1, time }],
    ["no time", { version: 2, type: "resume", step: 1 }],
    ["null in the place of a number", { version: 2, type: "step", step: 1, time, loss: null }],
    ["a step that is none", { version: 2, type: "resume", step: 1.5, time }],
    ["no step", { terms: {} }],
  ])("with %s is none", (_, fields) => {
    expect(readLogRow(fields)).toBeUndefined();
  });

  test("of a newer version is refused, in words", () => {
    expect(() => readLogRow({ version: 3, type: "step", step: 1, time })).toThrow(
      "metrics.jsonl: has rows of version 3 of its format. This pupil reads versions up to 2: take a newer one.",
    );
  });

  test("of the first format is what it would be now", () => {
    const { isMidRollout: _, ...first } = metrics;
    const read = (fields: unknown) => readLogRow(JSON.parse(JSON.stringify(fields)));
    expect(read({ ...first, gradNorm: "Infinity" })).toEqual({
      ...{ type: "step", step: 3, time: undefined, values: flatMetrics(metrics) },
    });
    expect(read({ step: 1, terms: {}, isMidRollout: true })).toMatchObject({ isMidRollout: true });
    expect(read({ step: 0, "heldOut.loss": 2, "heldOut.perplexity": "Infinity" })).toEqual({
      ...{ type: "evaluation", step: 0, time: undefined },
      values: { "heldOut.loss": 2, "heldOut.perplexity": Infinity },
    });
    expect(read({ warning: "no-end-token", step: 4, message: "m", remedy: "r" })).toEqual({
      ...{ type: "warning", step: 4, time: undefined },
      ...{ warning: "no-end-token", message: "m", remedy: "r" },
    });
  });
});
