import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfigFile } from "../../../../src/node/files/read-config.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

function read(text: string, name = "run.jsonc"): Promise<unknown> {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return readConfigFile(file, "run config");
}

describe("a config that somebody wrote", () => {
  test("may have comments, commas behind last entries, a byte-order mark and Windows line ends", async () => {
    const text = '\uFEFF{\r\n  // why\r\n  "a": [1, 2,],\r\n}\r\n';
    expect(await read(text)).toEqual({ a: [1, 2] });
  });

  test.each([
    ["a missing comma", '{\n  "a": 1\n  "b": 2\n}', /is not valid JSON at line 3, column 3: /],
    ["single quotes", "{'a': 1}", /at line 1, column 2: /],
    ["behind a comment", '{ /* a\nb */\n"a": nope }', /at line 3, column 6: /],
    [
      "YAML",
      "name: c\ndata:\n",
      /at line 1, column 1: .*A config is JSON, .*`pupil init` writes one\./,
    ],
    ["nothing", " \n", /: The run config is empty\. A config is JSON/],
  ])("says where it is wrong: %s", async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  test("that is not there is asked for by the nearest name, or `pupil init` is named", async () => {
    const folder = temporaryFolder();
    const wrong = join(folder, "txt.jsonc");
    await expect(readConfigFile(wrong, "run config")).rejects.toThrow(
      /does not exist.*`pupil init` writes one\.$/,
    );
    writeFileSync(join(folder, "text.jsonc"), "{}");
    await expect(readConfigFile(wrong, "run config")).rejects.toThrow(
      `${wrong}: The run config does not exist. Did you mean ${join(folder, "text.jsonc")}?`,
    );
  });
});
