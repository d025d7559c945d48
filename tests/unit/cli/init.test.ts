import { join } from "node:path";
import { expect, test } from "vitest";
import { initCommand } from "../../../src/cli/commands/training/init.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

test("a config that the disk does not take is a sentence", async () => {
  const file = join(temporaryFolder(), `${"x".repeat(300)}.jsonc`);
  await expect(initCommand("text", file)).rejects.toThrow(
    /: cannot be written: .* \(ENAMETOOLONG\)/,
  );
});
