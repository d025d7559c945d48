import { chromium } from "playwright-core";
import { serveFolder } from "../tests/setup/playground-site.js";
import { presets } from "../playground/src/training/presets.js";
import { toAddress } from "../playground/src/training/address.js";
const site = await serveFolder("playground/dist");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const word of process.argv.slice(2)) {
  const [name = "two-modes", until = "100", size = "wide", scheme = "light", tab = ""] = word.split(":");
  const [width, height] = size === "wide" ? [1280, 800] : [390, 844];
  const page = await (await browser.newContext({ viewport: { width, height }, colorScheme: scheme as "light" })).newPage();
  page.on("pageerror", (e) => console.log("PAGEERROR", e.message));
  page.on("console", (m) => console.log("CONSOLE", m.text()));
  const t0 = Date.now();
  await page.goto(`${site.url}#${toAddress(presets[name as "two-modes"].settings)}`);
  try {
    await page.waitForFunction("document.querySelector('.facts span').textContent === 'ready' || document.querySelector('.problem')", undefined, { timeout: 120000 });
    const fcp = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    console.log(word, "fcp", fcp, "ready after", Date.now() - t0, await page.locator(".messages").innerText());
    const t1 = Date.now();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const at = (n: string) => page.waitForFunction(`Number(document.querySelector(".where b").textContent.replaceAll(",","")) >= ${n} || document.querySelector('.problem')`, undefined, { timeout: 400000 });
    await at("1"); console.log("first step after", Date.now() - t1);
    await at(until); console.log("step", until, "after", Date.now() - t1, await page.locator(".facts").first().innerText(), await page.locator(".messages").innerText());
    await page.getByRole("button", { name: "Pause", exact: true }).click().catch(() => {});
    if (tab) await page.getByRole("tab", { name: tab }).click();
    await page.waitForTimeout(1000);
  } catch (e) { console.log("FAILED", (e as Error).message.slice(0, 300)); }
  const base = `/tmp/shots/${name}-${size}-${scheme}-${tab.slice(0, 5).trim()}`;
  await page.screenshot({ path: base + ".png" });
  if (size !== "wide") { await page.evaluate("document.querySelector(\".panel\").scrollIntoView()"); await page.waitForTimeout(300); await page.screenshot({ path: base + "2.png" }); }
  else await page.screenshot({ path: base + "-whole.png", fullPage: true });
  await page.close();
}
await browser.close(); await site.close();
