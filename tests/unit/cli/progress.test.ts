import { Chalk } from "chalk";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { fixedDuration, fixedNumber, sparkline } from "../../../src/cli/terminal/progress/fixed.js";
import { progressLine } from "../../../src/cli/terminal/progress/progress-line.js";
import { showProgress } from "../../../src/cli/terminal/progress/progress.js";
import type { RunEvent } from "../../../src/node/index.js";
import type { StepMetrics } from "../../../src/trainers/index.js";

const plain = new Chalk({ level: 0 });

function metricsAt(step: number, more: Partial<StepMetrics> = {}): StepMetrics {
  return {
    ...{ step, loss: 0.4123, terms: { "reverse-kl": 0.41 }, gradNorm: 1, learningRate: 0.1 },
    diagnostics: { forwardKl: 0.0612, reverseKl: 0.0714, studentEntropy: 1.2 },
    ...{ tokens: 1240, paddingShare: 0, onPolicyShare: 1, elapsedMs: 100 },
    ...more,
  };
}

const state = (step: number, more: Partial<StepMetrics> = {}) => ({
  ...{ metrics: metricsAt(step, more), steps: 1000, losses: [3, 2, 1, 1] },
  ...{ tokensPerSecond: 12_400, leftMs: 80_000 },
});

describe("the line of progress", () => {
  test("has bar, step, loss, both KLs, the last losses, speed and time left in 79 columns", () => {
    expect(progressLine(state(640), 79, plain)).toBe(
      "███░░░  640/1000 loss 0.4123 fKL 0.0612 rKL 0.0714     █▅▁▁ 12.40k tok/s  1m20s",
    );
  });

  test("keeps every part in its place, whatever the numbers are", () => {
    const number = fc.oneof(fc.double(), fc.double({ min: -1e5, max: 1e5 }));
    fc.assert(
      fc.property(
        ...[number, number, number, fc.integer({ min: 1, max: 1000 })],
        fc.double({ min: 0, max: 1e12 }),
        (loss, forwardKl, reverseKl, step, speed) => {
          const diagnostics = { forwardKl, reverseKl };
          const some = { ...state(step, { loss, diagnostics }), tokensPerSecond: speed };
          const line = progressLine({ ...some, leftMs: speed, losses: [loss, 1] }, 79, plain);
          const usual = progressLine(state(640), 79, plain);
          expect(line).toHaveLength(usual.length);
          expect(line.indexOf("loss")).toBe(usual.indexOf("loss"));
          expect(line.indexOf("rKL")).toBe(usual.indexOf("rKL"));
          expect(line.indexOf("tok/s")).toBe(usual.indexOf("tok/s"));
        },
      ),
    );
  });

  test("of two terms has their weighted sum, of a run without a teacher what it has", () => {
    const two = state(640, { terms: { "reverse-kl": 0.1, "cross-entropy": 0.3 } });
    expect(progressLine(two, 79, plain)).toBe(progressLine(state(640), 79, plain));
    const alone = state(640, { diagnostics: { studentEntropy: 1.25 } });
    expect(progressLine(alone, 79, plain)).toContain("loss 0.4123 ent 1.2500 gn 1.0000 ");
    const rewarded = state(640, { reward: 0.5, rolloutLength: 12.25 });
    expect(progressLine(rewarded, 79, plain)).toContain("rwd 0.5000 len 12.250 ");
  });

  test.each([60, 50, 40, 30, 20, 9])("leaves out what has no room in %d columns", (width) => {
    const line = progressLine(state(640), width, plain);
    expect(line.length).toBeLessThanOrEqual(width);
    expect(line).toContain("640/1000");
    expect(line.includes("loss")).toBe(width >= 30);
  });

  test("is coloured where that is wanted", () => {
    const coloured = progressLine(state(640), 79, new Chalk({ level: 1 }));
    expect(coloured).toContain("\u001b[32m███\u001b[39m");
  });
});

test.each([
  [0, "0.0000"],
  [0.4123, "0.4123"],
  [12.345, "12.345"],
  [9999.6, "9999.6"],
  [12_400, "12.40k"],
  [1_234_567, "1.235M"],
  [4.2e-7, "4.2e-7"],
  [-0.5, "-0.500"],
  [-4.2e-7, " -4e-7"],
  [3e200, " 3e200"],
  [Infinity, "   Inf"],
  [-Infinity, "  -Inf"],
  [Number.NaN, "   NaN"],
])("%d takes six characters: %s", (value, text) => {
  expect(fixedNumber(value)).toBe(text);
});

test("any number and any time take six characters", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(fixedNumber(value)).toHaveLength(6);
      expect(fixedDuration(Math.abs(value))).toHaveLength(6);
    }),
  );
  const times = [59_400, 80_000, 7_500_000, 90_000_000, 9e9].map(fixedDuration);
  expect(times).toEqual(["   59s", " 1m20s", " 2h05m", "  1d1h", "  104d"]);
});

test("a sparkline runs from the least to the greatest, means where there are many", () => {
  expect(sparkline([0, 7], 4)).toBe("  ▁█");
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([0, 0, 7, 7], 2)).toBe("▁█");
  expect(sparkline([1, Number.NaN, 2, Infinity], 4)).toBe("▁×█×");
  expect(sparkline([5, 5], 2)).toBe("▁▁");
  expect(sparkline([], 2)).toBe("  ");
});

describe("the events of a run", () => {
  const streamOf = (isTTY: boolean) => {
    const written: string[] = [];
    const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) };
    return { stream: stream as unknown as NodeJS.WriteStream, text: () => written.join("") };
  };
  const events: RunEvent[] = [
    { type: "started", path: "runs/a", notes: ["\u001b[2Jnote"] },
    { type: "step", metrics: metricsAt(1), steps: 1 },
    { type: "evaluation", step: 1, metrics: { "heldOut.loss": 0.5 } },
  ];
  const show = (isTerminal: { stdout: boolean; stderr: boolean }) => {
    const [stdout, stderr] = [streamOf(isTerminal.stdout), streamOf(isTerminal.stderr)];
    const progress = showProgress(1, { stdout: stdout.stream, stderr: stderr.stream });
    for (const event of events) progress.show(event);
    progress.end();
    return [stdout.text(), stderr.text()];
  };

  test("are a line that is renewed on a terminal, and lines in a file, or both", () => {
    vi.stubEnv("NO_COLOR", "1");
    const [, watched = ""] = show({ stdout: true, stderr: true });
    expect(watched).toMatch(
      /^␛\[2Jnote\nRun folder: runs\/a\n\r\u001b\[2K█+ 1\/1 loss .*s\r\u001b\[2Kstep 1 {2}heldOut.loss 0.5\n$/,
    );
    const [file, none] = show({ stdout: false, stderr: false });
    expect(none).toBe("");
    expect(file).toMatch(
      /^␛\[2Jnote\nRun folder: runs\/a\nstep 1\/1 {2}loss .* left\nstep 1 {2}heldOut/,
    );
    expect(show({ stdout: false, stderr: true })).toEqual([file, watched]);
    expect(show({ stdout: true, stderr: false })).toEqual(["", file]);
    vi.unstubAllEnvs();
  });
});
