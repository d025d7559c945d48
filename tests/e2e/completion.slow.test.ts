import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scripts } from "../../src/cli/completion/scripts.js";
import { repository, runCli } from "./cli-process.js";

const tsx = fileURLToPath(import.meta.resolve("tsx"));
const main = join(repository, "src/cli/main.ts");

/** What bash would put in place of the word at the cursor, at the end of a line. */
function completeInBash(line: string, wordBreaks: string): string[] {
  const program = [
    `pupil() { "${process.execPath}" --import "${tsx}" "${main}" "$@"; }`,
    // Only a shell that reads a line has it.
    'compopt() { echo "$@"; }',
    scripts.bash,
    `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDBREAKS=${wordBreaks}`,
    "_pupil",
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(repository, "tsconfig.json") };
  const said = execFileSync("bash", ["-c", program], { cwd: repository, env, encoding: "utf8" });
  return said.trim().split("\n");
}

describe("completion in bash", { timeout: 180_000 }, () => {
  test.each([
    ["a command", "pupil eva", "' ='", ["evaluate"]],
    ["a field, which goes on", "pupil train x trainer", "' ='", ["-o nospace", "trainer."]],
    ["a value behind =", "pupil generate x backend=we", "' ='", ["webgpu"]],
    ["a value where = is part of a word", "pupil generate x backend=we", "' '", ["backend=webgpu"]],
  ])("%s", (_what, line, wordBreaks, expected) => {
    expect(completeInBash(line, wordBreaks)).toEqual(expected);
  });
});

test("a shell that is not known is said, with those that are", async () => {
  const { code, stderr } = await runCli(["completion", "csh"], repository);
  expect(stderr).toMatch(
    /^error: There is no completion for "csh"\. .*Allowed: bash, zsh, fish\.\n$/,
  );
  expect(code).toBe(1);
});
