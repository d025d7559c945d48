import { expect, test } from "vitest";
import { panelsOf } from "../../../../src/node/pages/series.js";
import type { LogRow, StepRow } from "../../../../src/trainers/index.js";

const stepAt = (step: number, values: Record<string, number>): StepRow => ({
  ...{ type: "step", step, time: undefined, values },
});
const logOf = (steps: readonly StepRow[], others: readonly LogRow[] = []) => ({
  log: { steps, every: 1, lastStep: steps.at(-1), others: others as never, unreadable: 0 },
});

test("quantities are drawn with those they are compared to, each under one name", () => {
  const values = {
    ...{ loss: 1, "terms.reverse-kl": 1, "diagnostics.forwardKl": 2, "diagnostics.reverseKl": 3 },
    ...{ tokens: 50, elapsedMs: 100, learningRate: 0.1 },
  };
  const measured = {
    "heldOut.loss": 4,
    "heldOut.forwardKl": 5,
    "longer.windowRank": 6,
    "x.perplexity": 7,
  };
  const evaluation: LogRow = { type: "evaluation", step: 1, time: undefined, values: measured };
  const panels = panelsOf(logOf([stepAt(1, values)], [evaluation]));
  expect(panels.map(({ title, series }) => [title, ...series.map(({ label }) => label)])).toEqual([
    // A loss of one unweighted term is the term.
    ["Loss", "reverse-kl", "heldOut.loss"],
    ["Divergence from the teacher", "forwardKl", "reverseKl", "heldOut.forwardKl"],
    ["Learning rate", "learningRate"],
    ["Throughput", "tokens per second"],
    ["windowRank", "longer.windowRank"],
  ]);
  expect(panels[3]?.series[0]?.points).toEqual([{ step: 1, value: 500, low: 500, high: 500 }]);
});

test("many steps are means of neighbours with their extremes; what is not finite is counted", () => {
  const steps = Array.from({ length: 321 }, (_, i) =>
    stepAt(i + 1, { gradNorm: i === 7 ? Infinity : i }),
  );
  const [panel] = panelsOf(logOf(steps));
  const [series] = panel?.series ?? [];
  expect(series).toMatchObject({ label: "gradNorm", strange: 1, isMeasured: false });
  expect(series?.points).toHaveLength(160);
  expect(series?.points[0]).toEqual({ step: 2, value: 0.5, low: 0, high: 1 });
  expect(series?.points.at(-1)).toEqual({ step: 321, value: 319.5, low: 319, high: 320 });
});
