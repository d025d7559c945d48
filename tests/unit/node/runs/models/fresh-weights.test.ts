import { expect, test } from "vitest";
import { noOwnComponents } from "../../../../../src/config/index.js";
import { initializeDecoder } from "../../../../../src/models/index.js";
import { assembleModels, owning } from "../../../../../src/node/runs/models/assemble-models.js";
import { Random } from "../../../../../src/tensors/index.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

test("a fresh student has the weights of the run's seed, in every version", async () => {
  const config = tinyRun(temporaryFolder(), { seed: 5 });
  using parts = await owning((own) =>
    assembleModels(config, { loss: [], components: noOwnComponents, trains: true }, own),
  );
  using expected = initializeDecoder(parts.student.config, new Random(5).stream("weights"));
  expect([...parts.student.parameters.keys()]).toEqual([...expected.parameters.keys()]);
  for (const [name, parameter] of expected.parameters) {
    expect(parts.student.parameters.get(name)?.dataSync(), name).toEqual(parameter.dataSync());
  }
});
