import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { infoCommand } from "../../../src/cli/commands/models/info.js";
import { characterTokenizer } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { saveModelFolder } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

async function informationOn(options: object): Promise<string> {
  const sizes = { vocabSize: 5, hiddenSize: 8, numLayers: 3, numHeads: 4, maxPositions: 16 };
  const config = modelConfigSchema.parse({ ...sizes, ...options });
  using model = initializeDecoder(config, new Random(1));
  const path = join(temporaryFolder(), "model");
  await saveModelFolder(path, model, characterTokenizer({ alphabet: "abc" }));
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    await infoCommand(path);
    return write.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
  }
}

test("a window is told with the number of layers that have it, if not all do", async () => {
  const layerTypes = ["full_attention", "sliding_attention", "full_attention"];
  const inOne = { family: "qwen2", slidingWindow: 4, layerTypes };
  expect(await informationOn(inOne)).toContain("context 16, sliding window 4 in 1 of 3 layers\n");
  const inAll = { family: "mistral", slidingWindow: 4 };
  expect(await informationOn(inAll)).toContain("context 16, sliding window 4\n");
  expect(await informationOn({ family: "qwen2" })).toContain("context 16\n");
});
