import { join } from "node:path";
import type { Page } from "playwright-core";

/** Screens that pages are looked at on. */
export const screenSizes = { wide: [1280, 800], narrow: [390, 844] } as const;

/** Pictures of a page, by day and by night: what is on the screen, and `-whole`. */
export async function takePictures(page: Page, folder: string, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(200);
    const path = (part: string) => join(folder, `${name}-${colorScheme}${part}.png`);
    await page.screenshot({ path: path("") });
    await page.screenshot({ path: path("-whole"), fullPage: true });
  }
  console.log(name);
}
