import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { repository, runCli } from "./cli-process.js";

/** A loss in one TypeScript file, as a user writes it; `body` is its value. */
const lossFile = (body: string) => `
import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { defineLoss, stopGradient } from "${join(repository, "src/index.ts")}";

export const gapLoss = defineLoss({
  name: "gap",
  summary: "Squared gap between the log-probabilities of a token.",
  formula: "(log S − log T)²",
  reference: "https://example.org",
  per: "token",
  needs: ["tokenLogProbs", "teacherTokenLogProbs"],
  config: z.strictObject({ scale: z.number().default(1).describe("Factor.") }),
  properties: { nonNegative: true },
  examples: [{}, { scale: 2 }],
  evaluate: ({ tokenLogProbs, teacherTokenLogProbs }, { scale }): tf.Tensor2D =>
    tf.tidy(() => ${body}),
});
`;
const gap = "tokenLogProbs.sub(stopGradient(teacherTokenLogProbs)).square().mul(scale)";
const gapCase = (value: number) => ({
  cases: [
    {
      loss: "gap",
      config: { scale: 2 },
      inputs: { tokenLogProbs: [[-1, -2]], teacherTokenLogProbs: [[-3, -2]] },
      expected: { values: [[value, 0]], gradients: { tokenLogProbs: [[8, 0]] } },
    },
  ],
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"), "dir");
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("pupil check-losses", { timeout: 120_000 }, () => {
  test("proves a loss of one's own and its golden cases", async () => {
    const cases = JSON.stringify(gapCase(8));
    const folder = folderWith({ "gap.ts": lossFile(gap), "cases.json": cases });
    const { code, stdout, stderr } = await runCli(
      ["check-losses", "gap.ts", "cases=cases.json"],
      folder,
    );
    expect(stderr).toBe("");
    expect(stdout).toContain('gap {"scale":2}');
    expect(stdout).toMatch(/ok {3}has the gradient of its values.*largest error [\d.e-]+\)/);
    expect(stdout).toMatch(/(\d+) of \1 checks passed\./);
    expect(stdout).toMatch(/ok {3}case 0 gap {"scale":2}: worst error [\d.]+e[+-]\d+ \(/);
    expect(code).toBe(0);
  });

  test("a wrong loss, or a case above the tolerance, is exit code 1", async () => {
    const folder = folderWith({
      "sign.ts": lossFile(`${gap}.neg()`),
      "gap.ts": lossFile(gap),
      "cases.json": JSON.stringify(gapCase(8.4)),
    });
    const [wrong, above, within] = await Promise.all([
      runCli(["check-losses", "sign.ts"], folder),
      runCli(["check-losses", "gap.ts", "cases=cases.json"], folder),
      runCli(["check-losses", "gap.ts", "cases=cases.json", "tolerance=0.1"], folder),
    ]);
    expect(wrong.stdout).toMatch(/FAIL is never negative\n +a value is -/);
    expect(wrong.code).toBe(1);
    expect(above.stdout).toMatch(/FAIL case 0 .*worst error 4\.76e-2 \(values\)/);
    expect(above.code).toBe(1);
    expect(within.code).toBe(0);
  });

  test("checks golden cases of built-in losses alone", async () => {
    const folder = folderWith({});
    const fixture = join(repository, "tests/parity/fixtures/losses/pair.json");
    const { code, stdout } = await runCli(["check-losses", `cases=${fixture}`], folder);
    expect(stdout).toContain("22 of 22 cases within 0.0002.");
    expect(code).toBe(0);
  });

  test("gives a file the packages of the process, where none is installed beside it", async () => {
    const folder = temporaryFolder();
    const text = lossFile(gap).replace(join(repository, "src/index.ts"), "pupil");
    writeFileSync(join(folder, "gap.mts"), text);
    writeFileSync(join(folder, "other.mts"), `import "left-pad-of-nobody";\n${text}`);
    const [own, other] = await Promise.all([
      runCli(["check-losses", "gap.mts"], folder),
      runCli(["check-losses", "other.mts"], folder),
    ]);
    expect(own.stdout).toMatch(/(\d+) of \1 checks passed\./);
    expect(own.code).toBe(0);
    expect(other.stderr).toContain(
      "Install left-pad-of-nobody beside the file: npm install left-pad-of-nobody.",
    );
  });

  test("says what is wrong with a file", async () => {
    const folder = folderWith({
      "nothing.ts": "export const x = 1;\n",
      "losses.txt": "export const x = 1;\n",
      "broken.ts":
        'export const loss = { name: "Broken Loss", formula: "1", evaluate: () => 1 };\n',
      "cases.json": '{"cases": [{"loss": "forwrd-kl", "inputs": {}, "expected": {"values": 1}}]}',
    });
    const messages = await Promise.all(
      [
        ["nothing.ts"],
        ["broken.ts"],
        ["absent.ts"],
        ["cases=cases.json"],
        ["tolerence=1"],
        ["losses.txt"],
      ].map(async (words) => {
        const { code, stderr } = await runCli(["check-losses", ...words], folder);
        expect(code, stderr).toBe(1);
        expect(stderr).not.toContain("    at ");
        return stderr;
      }),
    );
    expect(messages[0]).toContain("exports no loss definition");
    expect(messages[1]).toMatch(
      /broken\.ts: export loss: name is "Broken Loss": is not in kebab-case/,
    );
    expect(messages[2]).toContain("does not exist");
    expect(messages[3]).toMatch(/cases\.json: cases\.0: .*Did you mean "forward-kl"/);
    expect(messages[4]).toContain("tolerence");
    expect(messages[5]).toMatch(/losses\.txt: its name is not that of a module\. Give/);
  });
});
