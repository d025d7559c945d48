import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { writeRunReport } from "../../../src/node/index.js";
import {
  accessibilityProblems,
  chromiumPath,
  layoutShift,
  mostLayoutShift,
  openPage,
  watchLayoutShift,
} from "../../setup/pages/browser.js";
import { writeRunFiles } from "../../setup/runs/run-files.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const reportOf = async (...names: string[]) => {
  const folder = temporaryFolder();
  const runs = names.map((name) => writeRunFiles(join(folder, name), { config: { name } }));
  return pathToFileURL(await writeRunReport(runs)).href;
};

describe.skipIf(chromiumPath === undefined)(
  "a report in a browser (needs Chromium)",
  { timeout: 120_000 },
  () => {
    test.each([
      [1280, 800, "light"],
      [1280, 800, "dark"],
      [390, 844, "light"],
      [390, 844, "dark"],
    ] as const)(
      "has no fault that axe finds at %d × %d, %s",
      async (width, height, colorScheme) => {
        for (const names of [["a"], ["a", "b"]]) {
          const url = await reportOf(...names);
          const options = { viewport: { width, height }, colorScheme, script: watchLayoutShift };
          const { page, problems } = await openPage(url, options);
          await page.locator(".token:visible").first().hover();
          expect(await layoutShift(page)).toBeLessThan(mostLayoutShift);
          expect(await accessibilityProblems(page)).toEqual([]);
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
          expect(problems).toEqual([]);
        }
      },
    );

    test("shows what both models thought, by pointer and by keyboard, and goes back in time", async () => {
      const { page, problems } = await openPage(await reportOf("a"));
      const detail = page.locator(".detail");
      const height = (await detail.boundingBox())?.height;
      const tokens = page.locator(".token:visible");
      await tokens.first().hover();
      expect(await detail.innerText()).toMatch(
        /^“12”\nKL\(teacher ‖ student\) 0\.5 nats[\s\S]*advantage -1 nats[\s\S]*student\n12\n75\.0 %\nb[\s\S]*teacher/,
      );
      // Nothing moves.
      expect((await detail.boundingBox())?.height).toBe(height);

      await tokens.first().focus();
      await page.keyboard.press("End");
      const shownToken = () =>
        page.evaluate(
          "[...document.querySelectorAll('.token:not([data-step][hidden] *)')].indexOf(document.activeElement)",
        );
      expect(await shownToken()).toBe(2);
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowLeft");
      expect(await shownToken()).toBe(1);
      expect(await page.locator(".token[tabindex='0']:visible").count()).toBe(1);

      const background = () =>
        page.evaluate(
          "getComputedStyle([...document.querySelectorAll('.token')].find((token) => token.checkVisibility())).backgroundColor",
        );
      expect(await background()).toBe("rgb(252, 141, 89)");
      await page.getByLabel("KL(student ‖ teacher)").check();
      expect(await background()).toBe("rgb(127, 0, 0)");

      await page.getByLabel("Evaluation").focus();
      await page.keyboard.press("Home");
      expect(await page.locator(".heat output").innerText()).toBe("0");
      expect(await page.locator("[data-step='0']").isVisible()).toBe(true);
      expect(await page.locator("[data-step='1']").isVisible()).toBe(false);
      expect(problems).toEqual([]);
    });

    test("is whole on paper", async () => {
      const { page } = await openPage(await reportOf("a"));
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("nav").isVisible()).toBe(false);
      expect(await page.locator(".chart").count()).toBeGreaterThan(3);
      expect((await page.pdf()).length).toBeGreaterThan(20_000);
    });
  },
);
