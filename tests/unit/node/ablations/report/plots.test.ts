import { expect, test, vi } from "vitest";
import type { CellResult } from "../../../../../src/node/ablations/cell-results.js";
import { learningCurve } from "../../../../../src/node/ablations/report/plots.js";

test("arms that were each measured once, at steps of their own, are a plot without warnings", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const arms = ["a", "b", "c"];
  const cells = arms.map((arm, step) => ({ arm, seed: 1, curve: [{ step, metrics: { m: 1 } }] }));
  const drawing = learningCurve("m", cells as unknown as CellResult[], arms);
  expect(drawing?.svg).toContain("<svg");
  // The library marks a drawing that it has something to say of.
  expect(drawing?.svg).not.toContain("⚠");
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});
