import { describe, expect, test } from "vitest";
import {
  failureSignatures,
  type StepMetrics,
  watchEvaluations,
  watchTraining,
} from "../../../../src/trainers/index.js";

const healthy: Omit<StepMetrics, "step"> = {
  ...{
    loss: 1,
    terms: { "cross-entropy": 8, "forward-kl": 0 },
    gradNorm: 1,
    learningRate: 1e-3,
    tokens: 100,
    onPolicyShare: 1,
  },
  diagnostics: {
    ...{ studentEntropy: 1, teacherEntropy: 1.2, studentTailMass: 0.2, teacherTailMass: 0.05 },
    ...{ advantageStd: 0.5, positiveLogProb: -1, negativeLogProb: -2, forwardKl: 0.5 },
  },
  ...{ rolloutLength: 10, rolloutEndRate: 0.4, paddingShare: 0.2, elapsedMs: 1 },
};

/** Warnings of a training that is healthy for ten steps and then as given. */
function warningsOf(change: (diagnostics: object) => Partial<StepMetrics>, steps = 60): string[] {
  const watch = watchTraining();
  const told: string[] = [];
  for (let step = 1; step <= steps; step++) {
    const later = step > 10 ? change(healthy.diagnostics) : {};
    const warnings = watch({ ...healthy, ...later, step });
    told.push(...warnings.map(({ warning, step }) => `${warning} at ${step}`));
  }
  return told;
}
const diagnostics = (change: object) => (before: object) => ({
  diagnostics: { ...before, ...change } as StepMetrics["diagnostics"],
});

describe("a training is told", () => {
  test("nothing while it is healthy", () => {
    expect(warningsOf(() => ({}))).toEqual([]);
  });

  test.each([
    ["all-positions-masked at 11", () => ({ tokens: 0 })],
    ["loss-diverges at 13", () => ({ terms: { "cross-entropy": 23_000, "forward-kl": 2 } })],
    // The loss on policy, a reverse KL, is bounded where the teacher knows nothing.
    ["loss-diverges at 13", diagnostics({ forwardKl: 97_467 })],
    ["loss-diverges at 13", diagnostics({ forwardKl: Infinity })],
    ["entropy-collapse at 30", diagnostics({ studentEntropy: 0.05 })],
    ["mass-outside-support at 30", diagnostics({ studentTailMass: 0.45 })],
    ["no-end-token at 30", () => ({ rolloutEndRate: 0 })],
    ["both-sides-fall at 30", diagnostics({ positiveLogProb: -3, negativeLogProb: -5 })],
    ["both-sides-fall at 30", diagnostics({ positiveLogProb: -1.6, negativeLogProb: -2.6 })],
    ["zero-variance-advantages at 15", diagnostics({ advantageStd: 0 })],
    [
      "degenerate-groups at 20",
      () => ({ degenerateGroups: 1, reward: 0, diagnostics: { advantageStd: 0 } }),
    ],
    ["length-collapse at 30", () => ({ reward: 0.5, rolloutLength: 2.4 })],
    ["leaves-reference at 30", diagnostics({ referenceKl: 2.5 })],
  ] as const)("%s, once", (warning, change) => {
    expect(warningsOf(change)).toEqual([warning]);
  });

  test.each([
    [
      "a low entropy that the teacher has too",
      diagnostics({ studentEntropy: 0.01, teacherEntropy: 0.04 }),
    ],
    [
      "a tail that the teacher has too",
      diagnostics({ studentTailMass: 0.5, teacherTailMass: 0.4 }),
    ],
    [
      "a tail of nearly three times the teacher's",
      diagnostics({ studentTailMass: 0.45, teacherTailMass: 0.16 }),
    ],
    ["a fall of the rejected side alone", diagnostics({ negativeLogProb: -9 })],
    ["a loss that is somewhat higher", () => ({ terms: { "cross-entropy": 12 } })],
    ["a term that had no rows before", () => ({ terms: { "forward-kl": 9 } })],
    ["a fall of the preferred side alone", diagnostics({ positiveLogProb: -9 })],
    ["a fall by half a nat", diagnostics({ positiveLogProb: -1.5, negativeLogProb: -2.5 })],
    ["a tail that is large from the start", diagnostics({ studentTailMass: 0.29 })],
    ["an entropy of a tenth of the teacher's", diagnostics({ studentEntropy: 0.12 })],
    [
      "a low entropy where nothing is sampled",
      () => ({
        ...{ onPolicyShare: 0, diagnostics: { ...healthy.diagnostics, studentEntropy: 0 } },
      }),
    ],
    ["advantages that hardly differ", diagnostics({ advantageStd: 1e-6 })],
    ["a problem that is undecided", () => ({ degenerateGroups: 0.99, reward: 0.1 })],
    ["short completions that no reward asks for", () => ({ rolloutLength: 2.4 })],
    ["completions of a quarter", () => ({ reward: 0.5, rolloutLength: 2.5 })],
    ["a reference that is near", diagnostics({ referenceKl: 2 })],
    ["few completions that end", () => ({ rolloutEndRate: 0.01 })],
    ["a single token to learn", () => ({ tokens: 1 })],
    ["steps without any of it", () => ({ diagnostics: {} })],
  ] as const)("nothing of %s", (_, change) => {
    expect(warningsOf(change)).toEqual([]);
  });

  test("of an entropy that has collapsed against the start's, where the teacher says nothing", () => {
    const watch = watchTraining();
    const told = Array.from({ length: 30 }, (_, i) => {
      const studentEntropy = i === 0 ? 2 : 0.19;
      return watch({ ...healthy, diagnostics: { studentEntropy }, step: i + 1 });
    }).flat();
    expect(told.map(({ warning, step }) => [warning, step])).toEqual([["entropy-collapse", 21]]);
    expect(told[0]?.message).toBe(
      "Step 21: the student's entropy has collapsed to 0.190 nats (at the start: 2.00 nats).",
    );
  });

  test("of a tail that has grown from its lowest, wherever it began", () => {
    const watch = watchTraining();
    const tails = [0.4, 0.1, ...Array.from({ length: 20 }, () => 0.25)];
    const told = tails.flatMap((studentTailMass, i) =>
      watch({ ...healthy, diagnostics: { studentTailMass, teacherTailMass: 0.01 }, step: i + 1 }),
    );
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringContaining("has grown from 10.0 % to 25.0 % (teacher: 1.0 %)"),
    ]);
  });

  test("nothing of an entropy that there is nothing to compare with", () => {
    const watch = watchTraining();
    const told = Array.from({ length: 30 }, (_, i) =>
      watch({ ...healthy, diagnostics: i === 0 ? {} : { studentEntropy: 0.05 }, step: i + 1 }),
    );
    expect(told.flat()).toEqual([]);
  });

  test("again when a failure comes back, which shows from its first step to its last", () => {
    const watch = watchTraining();
    const masked = [1, 0, 0, 1, 0].map((tokens, i) => {
      const told = watch({ ...healthy, tokens, step: i + 1 }).map(({ step }) => step);
      expect(watch.showing()).toEqual(tokens === 0 ? ["all-positions-masked"] : []);
      return told;
    });
    expect(masked.flat()).toEqual([2, 5]);
  });

  test("nothing of a failure that has shown for too few steps", () => {
    const watch = watchTraining();
    const showing = Array.from({ length: 6 }, (_, i) => {
      watch({ ...healthy, diagnostics: { advantageStd: 0 }, step: i + 1 });
      return watch.showing();
    });
    const shown = ["zero-variance-advantages"];
    expect(showing).toEqual([[], [], [], [], shown, shown]);
  });

  test("nothing of a forward KL that modes cost which the student leaves out, or a mask", () => {
    expect(warningsOf(diagnostics({ forwardKl: 31 }))).toEqual([]);
    const watch = watchTraining();
    for (const forwardKl of [Infinity, Infinity, Infinity, Infinity, Infinity]) {
      expect(watch({ ...healthy, diagnostics: { forwardKl }, step: 1 })).toEqual([]);
    }
  });

  test("step, what is seen, and a remedy", () => {
    for (const { name, describe: seen, remedy } of failureSignatures) {
      const history = {
        first: { ...healthy, step: 1 },
        lowest: { studentTailMass: 0.1 },
        firstTerms: { "forward-kl": 1 },
      };
      const text = seen({ ...healthy, terms: { "forward-kl": 30 }, step: 7 }, history);
      expect(text.length, name).toBeGreaterThan(20);
      expect(text, name).not.toMatch(/undefined|NaN/);
      expect(remedy.length, name).toBeGreaterThan(20);
    }
  });
});

describe("evaluations are told", () => {
  const told = (metrics: readonly Record<string, number>[]) => {
    const watch = watchEvaluations();
    const warnings = metrics.flatMap((row, step) => watch(step, row));
    return { steps: warnings.map(({ step }) => step), showing: watch.showing() };
  };
  const loss = (value: number) => ({
    "heldOut.loss": value,
    "heldOut.perplexity": Math.exp(value),
    "heldOut.meanLength": 900 * value,
  });

  test.each([
    ["nothing while they are healthy", [2, 1.5, 6], { steps: [], showing: false }],
    ["a loss far above the first", [2, 1, 12, 13], { steps: [2], showing: true }],
    ["an infinite perplexity at once", [800], { steps: [0], showing: true }],
    ["a loss that is no number", [2, Number.NaN], { steps: [1], showing: true }],
    ["nothing of the end if it has come back", [2, 12, 2], { steps: [1], showing: false }],
  ] as const)("%s", (_, losses, expected) => {
    expect(told(losses.map(loss))).toEqual(expected);
  });

  test("a forward KL of logits that have exploded, where nothing else is measured", () => {
    const kl = (value: number) => ({ "heldOut.forwardKl": value, "heldOut.reverseKl": 2.8 });
    expect(told([kl(0.5), kl(30), kl(97_000)])).toEqual({ steps: [2], showing: true });
    expect(told([kl(Infinity), kl(Infinity)])).toEqual({ steps: [], showing: false });
  });
});
