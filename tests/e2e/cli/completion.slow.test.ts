import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scripts } from "../../../src/cli/completion/scripts.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
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

const has = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

/** A shell's environment in which `pupil` is this package's command. */
function withCommand() {
  const folder = temporaryFolder();
  const command = `#!/bin/sh\nexec "${process.execPath}" --import "${tsx}" "${main}" "$@"\n`;
  writeFileSync(join(folder, "pupil"), command, { mode: 0o755 });
  const config = join(repository, "tsconfig.json");
  const PATH = `${folder}:${process.env["PATH"]}`;
  return { ...process.env, PATH, TSX_TSCONFIG_PATH: config, HOME: folder, XDG_DATA_HOME: folder };
}

describe.skipIf(!has("fish"))("completion in fish (needs fish)", { timeout: 180_000 }, () => {
  test.each([
    ["a command", "pupil eva", ["evaluate"]],
    ["a field, which goes on", "pupil train x trainer", ["trainer."]],
    ["a value behind =", "pupil generate x backend=we", ["backend=webgpu"]],
  ])("%s", (_what, line, expected) => {
    const program = `${scripts.fish}\ncomplete -C "${line}"`;
    const said = execFileSync("fish", ["-c", program], { env: withCommand(), encoding: "utf8" });
    expect(said.trim().split("\n")).toEqual(expected);
  });
});

describe.skipIf(!has("zsh"))("completion in zsh (needs zsh)", { timeout: 180_000 }, () => {
  test.each([
    ["a command", "pupil eva", "closed", ["evaluate"]],
    ["a field, which goes on", "pupil train x trainer", "-S", ["trainer."]],
    ["a value behind =", "pupil generate x backend=we", "closed", ["backend=webgpu"]],
  ])("%s", (_what, line, list, expected) => {
    // compadd works for a line that is edited only; what it is given is what zsh offers.
    const words = line.split(" ").map((word) => `'${word}'`);
    const program = [
      "compdef() { :; }",
      `compadd() { local to="\${@[-1]}"; [[ "$1" == -S ]] && to="-S $to"; for x in "\${(@P)@[-1]}"; do echo "\${to% *}|$x"; done; }`,
      scripts.zsh,
      `words=(${words.join(" ")}); CURRENT=${words.length}; _pupil`,
    ].join("\n");
    const said = execFileSync("zsh", ["-fc", program], { env: withCommand(), encoding: "utf8" });
    expect(said.trim().split("\n")).toEqual(expected.map((word) => `${list}|${word}`));
  });
});

test("a shell that is not known is said, with those that are", async () => {
  const { code, stderr } = await runCli(["completion", "csh"], repository);
  expect(stderr).toMatch(
    /^error: There is no completion for "csh"\. .*Allowed: bash, zsh, fish\.\n$/,
  );
  expect(code).toBe(1);
});
