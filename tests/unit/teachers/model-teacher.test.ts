import { expect, test } from "vitest";
import { modelTeacher } from "../../../src/teachers/index.js";
import { ChainModel } from "../../setup/models/chain-model.js";
import { tinyConfigs, tinyDecoder } from "../models/tiny-models.js";

test("a model that shows its layers tells their sizes, and another one none", () => {
  const config = tinyConfigs["llama"];
  using decoder = modelTeacher(tinyDecoder(config!), "model");
  const { numLayers, hiddenSize } = config!;
  expect(decoder.layerSizes).toMatchObject({ numLayers, hiddenSize });
  expect(decoder.provides).toContain("teacherHiddenStates");
  using chain = modelTeacher(new ChainModel(10));
  expect(chain.layerSizes).toBeUndefined();
  expect(chain.provides).not.toContain("teacherHiddenStates");
});
