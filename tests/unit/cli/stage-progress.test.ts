import { expect, test } from "vitest";
import { stageProgress } from "../../../src/cli/terminal/stage-progress.js";
import type { PlannedStage, StageEvent } from "../../../src/node/index.js";

const stage = {
  ...{ kind: "run", name: "run", seed: 1, id: "a", folder: "f", mark: "cell.json", needs: [] },
  ...{ arms: ["slow"], config: { trainer: { steps: 10 } } },
} as unknown as PlannedStage;

function shown(isTTY: boolean) {
  const texts: string[] = [];
  const stream = { isTTY, columns: 200, write: (text: string) => texts.push(text) };
  const progress = stageProgress([stage], stream as unknown as NodeJS.WriteStream, "f");
  return { texts, progress };
}

test("what runs compute with is said, with a warning where it is plain JavaScript against the will", () => {
  const { texts, progress } = shown(false);
  progress.show({ type: "computes", stage, backend: "wasm: AVX-512" });
  progress.show({ type: "computes", stage, backend: "cpu" });
  progress.show({ type: "computes", stage, backend: "cpu", fallback: "there is no build" });
  expect(texts.slice(0, 2)).toEqual(["Computing with wasm: AVX-512.\n", "Computing with cpu.\n"]);
  expect(texts[2]).toMatch(/^Warning: slow, seed 1 computes .*: there is no build\..*pupil doctor/);
});

test("a held progress writes nothing, and then what it missed", () => {
  const { texts, progress } = shown(true);
  const release = progress.hold();
  texts.length = 0;
  const step: StageEvent = { type: "step", stage, step: 3 };
  progress.show({ type: "started", stage, job: "1" });
  progress.show(step);
  progress.show({ type: "again", stage, message: "gone" });
  expect(texts).toEqual([]);
  release();
  expect(texts.join("")).toContain("slow, seed 1 is submitted again: gone");
});
