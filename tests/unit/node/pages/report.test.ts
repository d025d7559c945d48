import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toJson, writeRunReport } from "../../../../src/node/index.js";
import { lineOf, type NewLogRow } from "../../../../src/node/logs/log-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { writeRunFiles } from "../../../setup/runs/run-files.js";

const evil = '</script><script>alert("1")</script><img src=x onerror=alert(1)>';

test("a report has the curves, the warnings, what was reached, samples, tokens and config of a run", async () => {
  const run = writeRunFiles(join(temporaryFolder(), "runs/first"));
  const path = await writeRunReport([run]);
  expect(path).toBe(join(run, "report.html"));
  const page = readFileSync(path, "utf8");
  const headings = [...page.matchAll(/<h2 id="[\w-]+">([^<]+)/g)].map(([, text]) => text);
  expect(headings).toEqual([
    ...["Summary", "Curves", "What was reached", "Warnings"],
    ...["Token by token", "Samples over time", "Config"],
  ]);
  const charts = [...page.matchAll(/<figcaption><h3>([^<]+)/g)].map(([, text]) => text);
  expect(charts).toEqual(["Loss", "Divergence from the teacher", "Accuracy", "Throughput"]);
  expect(page).toMatch(/aria-label="Loss. loss: from 2 at step 1 to 1.33 at step 3; least 1.33/);
  expect(page).toContain("Not drawn, because not finite: 1 × heldOut.forwardKl.");
  expect(page).toContain("1 lines of the log cannot be read.");
  expect(page).toMatch(/<title>Step 2: the loss grows\./);
  expect(page).toContain('<span class="right" role="img" aria-label="right">✓</span>');
  expect(page).toContain('class="token f3 r5"');
});

test("nothing that a model or a config says becomes markup, nothing is loaded, no key is shown", async () => {
  const config = { teacher: { url: "http://u:pass@h/", apiKey: "sk-secret", note: evil } };
  const run = writeRunFiles(join(temporaryFolder(), "runs/evil"), { config, text: evil });
  const page = readFileSync(await writeRunReport([run]), "utf8");
  expect(page).not.toContain("<img");
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toMatch(/ (src|href)="(?!#|data:,)/);
  expect(page).not.toContain("sk-secret");
  expect(page).not.toContain("pass@");
});

test("several runs are curves of the same charts, with what differs between them", async () => {
  const folder = temporaryFolder();
  const runs = ["a", "b"].map((name, i) =>
    writeRunFiles(join(folder, name), { config: { name, seed: 1 + i } }),
  );
  const output = join(folder, "both.html");
  expect(await writeRunReport(runs, output)).toBe(output);
  const page = readFileSync(output, "utf8");
  expect(page).toContain("<h3>Loss: heldOut.loss</h3>");
  expect(page).toContain(
    '<th scope="row">seed</th><td><span class="wrap">1</span></td><td><span class="wrap">2</span></td>',
  );
  expect(page).toContain("Token by token: b");
});

test("a run that has logged nothing yet has a report, a folder without a run has none", async () => {
  const folder = temporaryFolder();
  const run = writeRunFiles(join(folder, "new"), { rows: [] });
  expect(readFileSync(await writeRunReport([run]), "utf8")).toContain(
    "There is nothing to draw yet.",
  );
  mkdirSync(join(folder, "none"));
  await expect(writeRunReport([join(folder, "none")])).rejects.toThrow(
    /There is no run in this folder/,
  );
});

test("a log that is long is thinned out, and that is said", async () => {
  const steps: NewLogRow[] = Array.from({ length: 5000 }, (_, i) => ({
    ...{ type: "step" as const, step: i + 1, values: { loss: i, tokens: 10, elapsedMs: 100 } },
  }));
  const run = writeRunFiles(join(temporaryFolder(), "long"), { rows: [] });
  writeFileSync(
    join(run, "metrics.jsonl"),
    steps.map((row) => `${toJson(lineOf(row))}\n`).join(""),
  );
  const page = readFileSync(await writeRunReport([run]), "utf8");
  expect(page).toContain("The log is long: one of 2 steps is drawn.");
  expect(page).toContain("<dd>100 tokens/s</dd>");
});
