import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, preview, type PreviewServer } from "vite";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { chromiumPath, openPage } from "../../setup/pages/browser.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../setup/models/tiny-teacher.js";
import { repository, runCli } from "../cli/cli-process.js";

const files = join(repository, "examples/getting-started");
const few = ["trainer.steps=2", "trainer.batchSize=2", "evaluation.rows=2", "backend=wasm"];

describe("the tasks of docs/getting-started.md", { timeout: 300_000 }, () => {
  let folder: string;
  const pupil = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(args, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pupil-started-"));
    cpSync(files, folder, { recursive: true });
    await pupil("init", "text");
    await pupil("train", "text.jsonc", ...few);
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("a checkpoint is distilled on policy", async () => {
    const said = await pupil("train", "distil.jsonc", ...few);
    expect(said).toMatch(/Teacher: [\d,]+ parameters from runs\/text\./);
    expect(said).toMatch(/step 2\/2 {2}reverse-kl \d/);
    expect(said).toMatch(/heldOut\.reverseKl \d/);
  });

  test("a loss of one's own is proved and trained with", async () => {
    const proved = await pupil("check-losses", "my-loss.mjs");
    const [, passed] = /\n(\d+) of \1 checks passed\.\n/.exec(proved) ?? [];
    expect(readFileSync(join(repository, "docs/getting-started.md"), "utf8")).toContain(
      `# ${passed} of ${passed} checks passed`,
    );
    const own = ['losses=["my-loss.mjs"]', 'trainer.loss=[{"type":"hellinger"}]', "name=mine"];
    expect(await pupil("train", "distil.jsonc", ...own, ...few)).toMatch(/2\/2 {2}hellinger \d/);
  });

  test("a verifier of one's own judges", async () => {
    expect(await pupil("train", "verified.jsonc", ...few)).toMatch(/heldOut\.accuracy \d/);
  });
});

const hasEntry = existsSync(join(repository, "src/api/browser.ts"));

describe.skipIf(chromiumPath === undefined || !hasEntry)(
  "the page of docs/getting-started.md (needs Chromium and pupil/browser)",
  () => {
    test("loads its model and writes with it", { timeout: 300_000 }, async () => {
      // Beside the project's node_modules, where the page finds the package as it was compiled.
      const root = mkdtempSync(join(files, "built-"));
      onTestFinished(() => rmSync(root, { recursive: true, force: true }));
      cpSync(join(files, "page"), root, { recursive: true });
      const models = temporaryFolder();
      const alphabet = "The abcdfgijklmnopqrstuvwxyz.";
      await saveTinyTeacher(models, { name: "model", alphabet });
      const options = { root, configFile: false, publicDir: models, logLevel: "warn" } as const;
      await build({ ...options, build: { outDir: "dist" } });
      const server: PreviewServer = await preview({
        ...options,
        ...{ build: { outDir: "dist" }, preview: { port: 0, host: "127.0.0.1" } },
      });
      onTestFinished(() => server.close());
      const { page, problems } = await openPage(server.resolvedUrls?.local[0] as string);
      const button = page.getByRole("button", { name: "Let it go on" });
      await page.locator("#write:enabled").waitFor({ timeout: 120_000 });
      expect(await page.locator("#state").innerText()).toMatch(/^Computing with \w+ on /);
      await button.click();
      await page.locator("#text", { hasText: /^The ./ }).waitFor();
      await page.getByRole("textbox").fill("§");
      await button.click();
      await page.locator("#state", { hasText: 'The character "§"' }).waitFor();
      // The browser says which files of other kinds of folders there are not.
      expect(problems.filter((text) => !text.includes("404"))).toEqual([]);
      expect(
        readdirSync(join(root, "dist/assets")).filter((name) => name.endsWith(".wasm")),
      ).toHaveLength(2);
    });
  },
);
