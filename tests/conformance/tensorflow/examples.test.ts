/** The quickstart and the stories on TensorFlow, shortened, against the same on the CPU engine. */
import { afterEach, describe, test } from "vitest";
import { useCpu } from "../../setup/backends/backend.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { expectQuickstart, expectStories } from "../../setup/runs/short-examples.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/backends/tensorflow.js";

const stories = "stories260k-hf";

describe.skipIf(!hasTensorflow)(`examples on ${onTensorflow}`, () => {
  afterEach(useCpu);

  test("the quickstart has the numbers and samples of wasm", async () => {
    await expectQuickstart(useTensorflow);
  });

  test.skipIf(missing(stories))(
    `the four students of the stories have those of wasm (needs ../shared/data/${stories})`,
    async () => {
      await expectStories(sharedData(stories), temporaryFolder(), useTensorflow);
    },
  );
});
