import { expect, test } from "vitest";
import { nearest } from "../../../src/errors/index.js";

test.each([
  ["form", "from"],
  ["temprature", "temperature"],
  ["learning_rate", "learningRate"],
  ["LearningRate", "learningRate"],
  ["foo", undefined],
  ["x", undefined],
  ["", undefined],
  ["__", undefined],
  ["qxzvbn", undefined],
])("%s is near %s", (given, expected) => {
  expect(nearest(given, ["lr", "from", "temperature", "learningRate", "steps"])).toBe(expected);
});

test("the end of the only name that has it is near to it", () => {
  expect(nearest("temperature", ["samplingTemperature", "topK"])).toBe("samplingTemperature");
  expect(
    nearest("temperature", ["samplingTemperature", "distillationTemperature"]),
  ).toBeUndefined();
  expect(nearest("opK", ["desktopK"])).toBeUndefined();
});

test("nothing is near where nothing is allowed", () => {
  expect(nearest("a", [])).toBeUndefined();
});
