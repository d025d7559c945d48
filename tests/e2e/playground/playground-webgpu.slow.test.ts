import { describe, expect, test } from "vitest";
import { toAddress } from "../../../playground/src/training/address.js";
import { chromiumPath, openPage, softwareGpu } from "../../setup/pages/browser.js";
import { playgroundSite } from "../../setup/pages/served-playground.js";
import { shortRun, withFields } from "../../setup/pages/playground-states.js";

const isSkipped = chromiumPath === undefined || process.env["PUPIL_SLOW_TESTS"] !== "1";

describe.skipIf(isSkipped)(
  "the playground on WebGPU (needs Chromium and PUPIL_SLOW_TESTS=1)",
  // Compiling every shader for a software GPU takes the most.
  { timeout: 900_000 },
  () => {
    const site = playgroundSite();

    /** The last loss and both divergences of ten steps. */
    async function trainOn(backend: "webgpu" | "wasm"): Promise<number[]> {
      const settings = withFields(shortRun, {
        ...{ backend, "trainer.steps": 10, "trainer.onPolicyFraction": 0 },
      });
      const { page, problems } = await openPage(`${site().url}?software=1#${toAddress(settings)}`, {
        flags: softwareGpu,
      });
      const start = page.getByRole("button", { name: "Start", exact: true });
      await start.click({ timeout: 400_000 });
      await page.getByText("finished", { exact: true }).waitFor({ timeout: 400_000 });
      const engine = backend === "webgpu" ? "on WebGPU" : "on the CPU";
      expect(await page.locator(".bar .facts").innerText()).toContain(engine);
      expect(await page.locator(".where b").innerText()).toBe("10");
      expect(problems).toEqual([]);
      const values = await page.locator(".legend b").allInnerTexts();
      await page.context().close();
      return values.map(Number);
    }

    test("ten steps have the losses that the CPU has, within its rounding", async () => {
      const [cpu, gpu] = [await trainOn("wasm"), await trainOn("webgpu")];
      expect(gpu).toHaveLength(3);
      for (const [i, value] of gpu.entries()) {
        expect(Number.isFinite(value) && value > 0).toBe(true);
        // As shown, with three digits.
        expect(Math.abs(value / (cpu[i] as number) - 1)).toBeLessThan(0.011);
      }
    });
  },
);
