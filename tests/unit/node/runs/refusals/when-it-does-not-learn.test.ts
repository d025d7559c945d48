import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBackend } from "../../../../../src/backend/index.js";
import { parseConfig, runConfigSchema } from "../../../../../src/config/index.js";
import { nodePlatform } from "../../../../../src/node/index.js";
import { useCpu } from "../../../../setup/backends/backend.js";
import { stepsOf, runToEnd } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const page = readFileSync(
  new URL("../../../../../docs/when-it-does-not-learn.md", import.meta.url),
  "utf8",
);
const configs = [...page.matchAll(/```json\n([^]*?)```/g)].map(
  ([, text]) => JSON.parse(text as string) as { name: string; trainer: { steps: number } },
);

/** The first and the last steps of a run in a short form, as the page shows them at its own length. */
interface Curve {
  readonly losses: readonly number[];
  readonly of: (diagnostic: string) => readonly number[];
}
const last = (values: readonly number[]) => values.at(-1) as number;
const first = (values: readonly number[]) => values[0] as number;

const looksAsItSays: Readonly<Record<string, (curve: Curve) => void>> = {
  "oscillates-step": ({ losses }) => {
    expect(Math.max(...losses)).toBeGreaterThan(3 * first(losses));
    expect(last(losses)).toBeLessThan(Math.max(...losses) / 2);
  },
  "oscillates-noise": ({ losses, of }) => {
    const kl = of("reverseKl");
    // The value of k2 is not the KL, and jumps while that falls.
    expect(last(kl)).toBeLessThan(first(kl) / 2);
    const rises = (values: readonly number[]) =>
      values.filter((value, i) => i > 0 && value > (values[i - 1] as number)).length;
    expect(rises(losses)).toBeGreaterThan(0);
  },
  "falls-below-zero": ({ losses, of }) => {
    expect(last(losses)).toBeLessThan(-0.1);
    expect(last(of("forwardKl"))).toBeGreaterThan(2 * Math.min(...of("forwardKl")));
  },
  "collapses-to-one-token": ({ losses, of }) => {
    expect(last(losses)).toBeLessThan(first(losses) / 10);
    expect(last(of("forwardKl"))).toBeGreaterThan(first(of("forwardKl")));
    expect(last(of("studentEntropy"))).toBeLessThan(last(of("teacherEntropy")) / 2);
  },
  "flat-at-zero": ({ losses, of }) => {
    expect(Math.max(...losses)).toBeLessThan(1e-6);
    expect(last(of("forwardKl"))).toBeGreaterThan(0.5);
  },
  "flat-above-zero": ({ losses, of }) => {
    expect(last(losses)).toBeGreaterThan(0.9 * first(losses));
    expect(last(of("studentEntropy"))).toBeCloseTo(Math.log(17), 1);
  },
};

beforeAll(async () => {
  await startBackend("wasm", { platform: nodePlatform });
});
afterAll(useCpu);

test("every run of the page is here", () => {
  expect(configs.map(({ name }) => name)).toEqual(Object.keys(looksAsItSays));
});

test.each(configs)("$name looks as the page says", async (config) => {
  const { trainer } = config;
  // No decay within the few steps: they are the first of the page's own run.
  const short = { ...trainer, steps: 12, schedule: "constant" };
  const evaluation = { every: 0, rows: 1, maxNewTokens: 1 };
  const run = parseConfig(
    runConfigSchema,
    { ...config, trainer: short, evaluation, output: join(temporaryFolder(), "runs") },
    config.name,
  );
  await runToEnd(run);
  const steps = stepsOf(run);
  looksAsItSays[config.name]?.({
    losses: steps.map(({ loss }) => loss),
    of: (name) => steps.map(({ diagnostics }) => diagnostics[name] as number),
  });
});
