import { describe, expect, test } from "vitest";
import { configOf, valueAt, withValue } from "../../../playground/src/training/settings.js";

const config = { seed: 1, trainer: { loss: [{ type: "a" }, { type: "b" }], steps: 3 } };

describe("fields of a config by their paths", () => {
  test("are read, and absent where they are not", () => {
    expect(valueAt(config, "trainer.loss.1.type")).toBe("b");
    expect(valueAt(config, "trainer.loss.2.type")).toBeUndefined();
    expect(valueAt(config, "trainer.toString")).toBeUndefined();
  });

  test("are changed in a copy, in their place", () => {
    const changed = withValue(config, "trainer.loss.1.type", "c");
    expect(JSON.stringify(changed)).toBe(JSON.stringify(config).replace('"b"', '"c"'));
    expect(valueAt(config, "trainer.loss.1.type")).toBe("b");
  });

  test("are taken out, and made with what leads to them", () => {
    expect(withValue(config, "trainer.loss.0", undefined)).toEqual({
      seed: 1,
      trainer: { loss: [{ type: "b" }], steps: 3 },
    });
    expect(withValue({}, "a.0.b", true)).toEqual({ a: [{ b: true }] });
  });

  test("of a second student are the first one's but for its changes", () => {
    const settings = { config, second: { "trainer.loss": [{ type: "c" }] } };
    expect(configOf(settings, 0)).toBe(config);
    expect(configOf(settings, 1)).toEqual({
      seed: 1,
      trainer: { loss: [{ type: "c" }], steps: 3 },
    });
  });
});
