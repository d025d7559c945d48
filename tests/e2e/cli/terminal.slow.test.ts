/** Data that tries to steer the terminal (escape sequences in texts, keys and broken lines), by the command line. */
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tinyConfig } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "./cli-process.js";

const cases = fileURLToPath(
  new URL("../../../../shared/cases/reliability/terminal", import.meta.url),
);

/** What no terminal may get from data: C0 but tab and line feed, DEL, C1, reversed writing. */
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe.skipIf(!existsSync(cases))(
  "data that steers terminals (needs ../shared/cases/reliability/terminal)",
  { timeout: 300_000 },
  () => {
    const run = async (folder: string, command: string, file: string) => {
      cpSync(join(cases, file), join(folder, file));
      const changes = {
        ...{ name: file, data: { type: "jsonl", path: file, validationFraction: 0.2 } },
        trainer: { type: "sft", steps: 2, batchSize: 2 },
        evaluation: { every: 2, rows: 1 },
      };
      const config = tinyConfig("runs", changes);
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      const { code, stdout, stderr } = await runCli([command, "config.json"], folder);
      expect(stdout).not.toMatch(steering);
      expect(stderr).not.toMatch(steering);
      return { code, shown: stdout + stderr };
    };

    test("is shown and trained on as signs", async () => {
      const folder = temporaryFolder();
      const shown = await run(folder, "data", "esc.jsonl");
      expect(shown).toMatchObject({ code: 0 });
      expect(shown.shown).toContain("␛");
      expect(await run(folder, "train", "esc.jsonl")).toMatchObject({ code: 0 });
    });

    test.each([
      ["esc2.jsonl", /esc2\.jsonl:2/],
      ["esc3.jsonl", /esc3\.jsonl:2/],
      ["esc4.jsonl", /esc4\.jsonl:1/],
    ])("%s is an error that can be read", async (file, message) => {
      const { code, shown } = await run(temporaryFolder(), "data", file);
      expect(code).toBe(1);
      expect(shown).toMatch(message);
    });
  },
);
