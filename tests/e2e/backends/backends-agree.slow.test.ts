import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { softwareVulkan } from "../../setup/backends/software-vulkan.js";

interface Trained {
  readonly tokens: readonly (readonly number[])[];
  /** Loss, gradient norm and number of tokens of every step. */
  readonly steps: readonly (readonly number[])[];
}

const child = fileURLToPath(new URL("../faults/training-child.ts", import.meta.url));

async function trainOn(
  backend: string,
  family: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Trained> {
  const command = ["--import", "tsx", child, backend, family];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return JSON.parse(stdout) as Trained;
}

/** Compiling every shader for a software GPU takes a minute of CPU time. */
const runsWebGpu = softwareVulkan !== undefined && process.env["PUPIL_SLOW_TESTS"] === "1";

function expectSame(one: Trained, other: Trained): void {
  expect(other.tokens).toEqual(one.tokens);
  for (const [i, step] of one.steps.entries()) {
    for (const [j, value] of step.entries()) {
      const found = other.steps[i]?.[j] as number;
      expect(Math.abs(found / value - 1), `step ${i + 1}: ${value}, ${found}`).toBeLessThan(1e-3);
    }
  }
}

const title = "a seed gives the same tokens and the same steps (%s)";

describe.each(["llama", "gpt2"])(title, (family) => {
  const reference = trainOn("cpu", family);

  test("on cpu, with real lengths and losses", async () => {
    const { tokens, steps } = await reference;
    expect(new Set(tokens.flat()).size).toBeGreaterThan(5);
    expect(steps).toHaveLength(3);
    for (const step of steps) for (const value of step) expect(value).toBeGreaterThan(0.05);
  });

  test("on wasm", async () => {
    expectSame(await reference, await trainOn("wasm", family));
  });

  test.skipIf(!runsWebGpu)(
    "on WebGPU (needs PUPIL_SLOW_TESTS=1 and Chromium's vk_swiftshader_icd.json)",
    { timeout: 300_000 },
    async () => {
      expectSame(await reference, await trainOn("webgpu", family, softwareVulkan));
    },
  );
});
