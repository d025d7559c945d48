import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "../../../src/node/index.js";
import { lineOf, type NewLogRow } from "../../../src/node/logs/log-file.js";
import type { TraceRow } from "../../../src/trainers/index.js";

interface RunFiles {
  readonly config?: object;
  readonly rows?: readonly NewLogRow[];
  /** Written by the student. */
  readonly text?: string;
  readonly steps?: number;
}

const usualRows: readonly NewLogRow[] = [
  {
    ...{ type: "evaluation", step: 0 },
    values: { "heldOut.loss": 3, "heldOut.accuracy": 0.25, "heldOut.forwardKl": Infinity },
  },
  ...[1, 2, 3].map(
    (step): NewLogRow => ({
      ...{ type: "step", step },
      values: { loss: 1 + 1 / step, "diagnostics.forwardKl": 1 / step, tokens: 50, elapsedMs: 100 },
    }),
  ),
  {
    ...{ type: "warning", step: 2, warning: "loss-diverges" },
    ...{ message: "Step 2: the loss grows.", remedy: "Lower learningRate." },
  },
  { type: "checkpoint", step: 3, path: "checkpoints/step-3" },
  {
    ...{ type: "evaluation", step: 3 },
    values: { "heldOut.loss": 2, "heldOut.accuracy": 0.5, "heldOut.forwardKl": 0.5 },
  },
];

/** The files that a run leaves, without training it. */
export function writeRunFiles(folder: string, files: RunFiles = {}): string {
  const { config = {}, rows = usualRows, text = "12", steps = 3 } = files;
  mkdirSync(join(folder, "checkpoints"), { recursive: true });
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  write("config.json", toJson({ name: "run", trainer: { type: "sft", steps }, ...config }));
  const lines = rows.map((row) => `${toJson(lineOf(row))}\n`).join("");
  write("metrics.jsonl", rows.length === 0 ? "" : `${lines}no row\n`);
  const evaluated = rows.filter(({ type }) => type === "evaluation").map(({ step }) => step);
  const samples = evaluated.map((step) => ({
    ...{ step, set: "heldOut", correct: step > 0, prompt: "1+1=", completion: text },
  }));
  write("completions.jsonl", samples.map((row) => `${toJson(row)}\n`).join(""));
  const alternatives = [
    { text, probability: 0.75 },
    { text: "b", probability: 0.25 },
  ];
  const token = {
    ...{ text, id: 1, student: alternatives, studentEntropy: 1, teacher: alternatives },
    ...{ teacherEntropy: 1, forwardKl: 0.5, reverseKl: 2, advantage: -1 },
  };
  const traces = evaluated.map((step): TraceRow => {
    return { version: 1, step, set: "heldOut", prompt: "1+1=", tokens: [token, token, token] };
  });
  write("traces.jsonl", traces.map((row) => `${toJson(row)}\n`).join(""));
  return folder;
}
