import { afterEach, expect, test, vi } from "vitest";
import { coloursFor } from "../../../src/cli/terminal/colours.js";

afterEach(() => void vi.unstubAllEnvs());

test("there are no colours where the output is no terminal, and none with NO_COLOR", () => {
  expect(coloursFor({ isTTY: false }).level).toBe(0);
  expect(coloursFor({}).red("a")).toBe("a");
  vi.stubEnv("NO_COLOR", "1");
  expect(coloursFor({ isTTY: true }).level).toBe(0);
});
