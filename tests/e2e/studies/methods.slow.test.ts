import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { repository, runCli, startCli } from "../cli/cli-process.js";

interface Results {
  readonly finished: boolean;
  readonly arms: Record<string, Record<string, { values: object }>>;
  readonly verdict: { readonly claim: string; readonly result: string; readonly rule: string };
}

const tiny = ["steps=6", "batchSize=2", "evaluationRows=2", "evaluateEvery=0"];

test("a method of one's own runs, killed it continues, and its report says what it is", {
  timeout: 180_000,
}, async () => {
  const folder = temporaryFolder();
  const example = join(repository, "examples/custom-method/label-smoothing.ts");
  const words = ["ablate", example, "seeds=2", "processes=2", "problems.task.maxDigits=4", ...tiny];
  const { child, finished } = startCli(words, folder);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (/plain, seed 1: /.test(said)) child.kill("SIGKILL");
  });
  await finished;

  const { code, stdout, stderr } = await runCli(words, folder);
  expect(stderr).toContain("label-smoothing: 2 arms, 2 seeds, 4 runs");
  expect(stdout).toMatch(
    /Verdict: (supported|contradicted|cannot tell)\. A student that is trained/,
  );
  expect(code).toBe(0);
  const place = join(folder, "ablations/label-smoothing");
  const results = JSON.parse(readFileSync(join(place, "results.json"), "utf8")) as Results;
  expect(results.finished).toBe(true);
  expect(Object.keys(results.arms["smoothed"]?.["heldOut.accuracy"]?.values ?? {})).toEqual([
    ...["1", "2"],
  ]);
  const report = readFileSync(join(place, "report.md"), "utf8");
  expect(report).toContain("Szegedy et al. 2016, https://arxiv.org/abs/1512.00567");
  expect(report).toContain("| smoothing | 0.1 | 0.1 | REC |");
  expect(report).toMatch(/\| smoothed \| sft \| sft\.trainer\.loss=\[.*"labelSmoothing":0\.1/);
  expect(existsSync(join(place, "report.html"))).toBe(true);
});

test("a method takes rows of one's own with a verifier", { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const rows = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify({ prompt: `${i}+1=`, completion: ` ${i + 1}`, answer: `${i + 1}` }),
  );
  writeFileSync(join(folder, "my.jsonl"), rows.join("\n"));
  const example = join(repository, "examples/custom-method/label-smoothing.ts");
  const own = ["data=my.jsonl", "verifier.type=number"];
  const { code, stderr } = await runCli(
    ["ablate", example, "seeds=1", "output=out", ...own, ...tiny],
    folder,
  );
  expect(stderr).not.toMatch(/error/);
  expect(code).toBe(0);
  const results = JSON.parse(readFileSync(join(folder, "out/results.json"), "utf8")) as Results;
  expect(results.arms["plain"]).toHaveProperty(["heldOut.accuracy"]);
  expect(results.verdict.result).toBe("cannot tell");
});

test("methods are listed with what each claims", { timeout: 120_000 }, async () => {
  const example = "examples/custom-method/label-smoothing.ts";
  const { stdout } = await runCli(["methods", `methods=${example}`], repository);
  expect(stdout).toMatch(/redi \(43\): Harnessing Negative Signals.*\n {2}After SFT/);
  expect(stdout).toMatch(/label-smoothing: Label smoothing\n {2}A student.*\n {2}not run\n$/);
});
