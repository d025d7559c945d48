import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

/** A Chromium of the system; undefined where there is none. */
export const chromiumPath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find(existsSync);

/** Flags of Chromium: WebGPU on the CPU. */
export const softwareGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
];

/** What a page did that it should not: errors, and requests beyond its own origin. */
export interface Opened {
  readonly page: Page;
  readonly problems: readonly string[];
}

export interface OpenPageOptions extends BrowserContextOptions {
  /** Flags of Chromium. */
  readonly flags?: readonly string[];
  /** Runs in the page before anything of it. */
  readonly script?: string;
}

/** Opens a page in a headless Chromium that ends with the test. */
export async function openPage(
  url: string,
  { flags = [], script, ...options }: OpenPageOptions = {},
): Promise<Opened> {
  const browser = await chromium.launch({
    executablePath: chromiumPath as string,
    args: ["--no-sandbox", ...flags],
  });
  onTestFinished(() => browser.close());
  const page = await (await browser.newContext(options)).newPage();
  if (script !== undefined) await page.addInitScript(script);
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => problems.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => {
    const asked = request.url();
    if (!/^(data|blob):/.test(asked) && new URL(asked).origin !== new URL(url).origin) {
      problems.push(`asked for ${asked}`);
    }
  });
  await page.goto(url);
  return { page, problems };
}

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds against WCAG 2.2 A and AA and its best practices. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // As the debugger does, which the page's content security policy does not hold.
  await page.evaluate(readFileSync(axe, "utf8"));
  return page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await (
      globalThis as unknown as {
        axe: {
          run(options: object): Promise<{
            violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
          }>;
        };
      }
    ).axe.run({ runOnly: tags });
    return violations.map(
      ({ id, nodes: [first] }) => `${id}: ${first?.html.slice(0, 200)} ${first?.failureSummary}`,
    );
  });
}

/** Runs in a page from its beginning: adds up what moved without anybody having done anything. */
export const watchLayoutShift = `
  globalThis.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) {
      if (!hadRecentInput) layoutShift += value;
    }
  }).observe({ type: "layout-shift", buffered: true });
`;

/** How far the page moved under the reader until now: the sum of the shares of the screen by the shares of the way. */
export const layoutShift = async (page: Page): Promise<number> =>
  Number(await page.evaluate("layoutShift"));

/** Below this nothing is seen to move; 0.1 is what the web's own measure takes for good. */
export const mostLayoutShift = 0.005;

const sizes = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

/** What axe-core finds, and what lies beyond the sides, on a wide and a narrow screen, by day and by night. */
export async function lookProblems(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // Until what listens to sizes has drawn.
      await page.waitForTimeout(150);
      const here = `${size.width} × ${size.height}, ${colorScheme}: `;
      found.push(...(await accessibilityProblems(page)).map((text) => here + text));
      const width = Number(await page.evaluate("document.documentElement.scrollWidth"));
      if (width > size.width) found.push(`${here}the page is ${width} pixels wide`);
    }
  }
  return found;
}
