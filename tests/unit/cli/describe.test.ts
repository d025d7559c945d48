import { expect, test, vi } from "vitest";
import { describeCommand } from "../../../src/cli/commands/studies/describe.js";

async function printedBy(words: readonly string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    await describeCommand(words);
    return write.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
  }
}

test("a loss is described with direction, inputs, paper, file and options", async () => {
  const text = await printedBy(["loss", "reverse-kl"]);
  expect(text).toContain("  formula: Σ_v S_v (log S_v − log T_v)\n");
  expect(text).toContain("  direction: KL(student ‖ teacher), mode-seeking\n");
  expect(text).toContain("  inputs: studentLogits [B, T, V], teacherLogits [B, T, V]\n");
  expect(text).toMatch(/ {2}when to use: .*\n {2}failure signature: .*\n {2}paper: https:/);
  expect(text).toContain("  file: src/losses/token/reverse-kl.ts\n");
  expect(text).toContain("  temperature  (number > 0; default 1)\n");
  expect(await printedBy(["reverse-kl"])).toBe(text);
});

test("other kinds have their fields, a kind alone a list", async () => {
  expect(await printedBy(["task", "addition"])).toContain(
    "  maxDigits  (integer ≥ 1; default 3)\n",
  );
  expect(await printedBy(["data", "text"])).toContain("  path  (string; required)\n");
  expect(await printedBy(["trainer"])).toMatch(
    /^trainer:\n {2}sft .*\n {2}distill .*\n {2}pairs .*\n {2}rank .*\n {2}reinforce .*\n$/,
  );
});
