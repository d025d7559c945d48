import { expect, test } from "vitest";
import { applyOverrides } from "../../../src/config/index.js";

test("values are JSON, or else strings; numbers index lists; the input is untouched", () => {
  const config = { trainer: { loss: [{ type: "forward-kl" }] } };
  const result = applyOverrides(config, [
    "trainer.loss.0.temperature=2",
    "name=my-run",
    "evaluation.every=0",
    "trainer.maxGradNorm=null",
    "teacher.from=a=b",
  ]);
  expect(result).toEqual({
    trainer: { loss: [{ type: "forward-kl", temperature: 2 }], maxGradNorm: null },
    name: "my-run",
    evaluation: { every: 0 },
    teacher: { from: "a=b" },
  });
  expect(config).toEqual({ trainer: { loss: [{ type: "forward-kl" }] } });
});

test.each([
  ["steps", 'Write key=value with dots between keys, for example "trainer.steps=200".'],
  ["=3", "is not an override"],
  ["a..b=3", "is not an override"],
  ["name.first=x", "name is not an object"],
  ["__proto__.polluted=1", "is not a field name"],
])("%s is refused", (override, message) => {
  expect(() => applyOverrides({ name: "run" }, [override])).toThrow(message);
});
