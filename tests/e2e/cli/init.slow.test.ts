import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "./cli-process.js";

describe("pupil init", { timeout: 180_000 }, () => {
  const few = ["trainer.steps=2", "trainer.batchSize=2", "evaluation.rows=2", "backend=wasm"];
  test.each(["text", "jsonl", "on-policy", "pairs"])(
    "%s writes a config that pupil train runs as it is",
    async (kind) => {
      const folder = temporaryFolder();
      const written = await runCli(["init", kind], folder);
      expect(written).toMatchObject({ code: 0, stderr: "" });
      expect(written.stdout).toContain(`Train with: pupil train ${kind}.jsonc\n`);
      expect(readFileSync(join(folder, `${kind}.jsonc`), "utf8")).toContain("//");
      const trained = await runCli(["train", `${kind}.jsonc`, ...few], folder);
      expect(trained).toMatchObject({ code: 0 });
      expect(trained.stdout).toContain(`saved runs/${kind}/checkpoints/step-2`);
    },
  );

  test("keeps what is there", async () => {
    const folder = temporaryFolder();
    await runCli(["init", "text"], folder);
    const again = await runCli(["init", "text"], folder);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/^error: text\.jsonc: There is such a file already\./);
    rmSync(join(folder, "text.jsonc"));
    const data = await runCli(["init", "text"], folder);
    expect(data.stdout).toContain("Kept: text.txt\n");
  });

  test("names the kinds for one that there is not", async () => {
    const { code, stderr } = await runCli(["init", "txt"], temporaryFolder());
    expect(code).toBe(1);
    expect(stderr).toContain('Did you mean "text"? Allowed: text, jsonl, on-policy, pairs.');
  });
});
