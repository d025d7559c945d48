import { describe, expect, test } from "vitest";
import { samplingPolicySchema } from "../../../src/rollouts/index.js";

describe("the schema of a policy", () => {
  test("samples from the model itself by default", () => {
    const expected = { samplingTemperature: 1, topK: 0, topP: 1, greedy: false };
    expect(samplingPolicySchema.parse({})).toEqual(expected);
  });

  test.each([{ samplingTemperature: 0 }, { topK: -1 }, { topK: 1.5 }, { topP: 0 }, { topP: 1.1 }])(
    "refuses %o",
    (fields) => expect(samplingPolicySchema.safeParse(fields).success).toBe(false),
  );

  test.each([{ topK: 0 }, { topK: 1 }, { topP: 1 }, { topP: 0.01 }, { samplingTemperature: 0.01 }])(
    "accepts %o",
    (fields) => expect(samplingPolicySchema.parse(fields)).toMatchObject(fields),
  );

  test("describes every field", () => {
    for (const [name, field] of Object.entries(samplingPolicySchema.shape)) {
      expect(field.description, name).toMatch(/\.$/);
    }
  });
});
