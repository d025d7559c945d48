/** The quickstart and the stories on WebGPU, shortened, against the same on the CPU engine. */
import { afterEach, describe, test } from "vitest";
import { useCpu } from "../../setup/backends/backend.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { expectQuickstart, expectStories } from "../../setup/runs/short-examples.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpu,
} from "../../setup/backends/webgpu.js";

const stories = "stories260k-hf";

describe.skipIf(!hasVulkan)(`examples on ${onWebGpu}`, () => {
  afterEach(useCpu);

  test("the quickstart has the numbers and samples of wasm", async () => {
    await expectQuickstart(useWebGpu);
  });

  test.skipIf(missing(stories) || !hasLavapipe)(
    `the four students of the stories have those of wasm, ${onLavapipe} and ../shared/data/${stories}`,
    async () => {
      await expectStories(sharedData(stories), temporaryFolder(), useWebGpu);
    },
  );
});
