import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, type RunConfig, runConfigSchema } from "../../../src/config/index.js";
import { metricsOfRow, readLogRow, type StepMetrics } from "../../../src/trainers/index.js";
import { type RunEvent, trainRun } from "../../../src/node/index.js";

/** The config of a run so small that it takes a second on the plain JavaScript backend. */
export function tinyConfig(output: string, changes: object = {}): object {
  return {
    name: "tiny",
    output,
    backend: "cpu",
    student: { architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
    data: { type: "task", task: { type: "addition", maxDigits: 1, style: "direct" } },
    trainer: { type: "sft", steps: 6, batchSize: 4, warmupSteps: 2 },
    evaluation: { every: 3, rows: 4 },
    checkpoint: { every: 3 },
    ...changes,
  };
}

/** That config, checked. */
export function tinyRun(output: string, changes: object = {}): RunConfig {
  return parseConfig(runConfigSchema, tinyConfig(output, changes), "tiny");
}

/** Runs to the end, or until `stopAfter` steps as Ctrl-C would stop it. */
export async function runToEnd(
  config: RunConfig,
  options: { resume?: boolean; stopAfter?: number; onStep?: (step: number) => void } = {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const path = join(config.output, config.name);
  const { resume = false, stopAfter } = options;
  for await (const event of trainRun({ config, path, resume, signal: stop.signal })) {
    events.push(event);
    if (event.type !== "step") continue;
    options.onStep?.(event.metrics.step);
    if (event.metrics.step === stopAfter) stop.abort();
  }
  return events;
}

/** The rows of a run's log without what depends on the clock and on how often it was stopped. */
export function metricsOf(config: RunConfig): Record<string, unknown>[] {
  const text = readFileSync(join(config.output, config.name, "metrics.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const { elapsedMs: _, time: _time, ...row } = JSON.parse(line) as Record<string, unknown>;
      return row;
    })
    .filter(({ type }) => type !== "checkpoint" && type !== "resume");
}

/** What the steps of a run reported, as its log has it. */
export function stepsOf(config: RunConfig): StepMetrics[] {
  const text = readFileSync(join(config.output, config.name, "metrics.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => readLogRow(JSON.parse(line)))
    .flatMap((row) => (row?.type === "step" ? [metricsOfRow(row)] : []));
}

/** The bytes of a checkpoint's weights. */
export function weightsOf(config: RunConfig, step: number): Buffer {
  const folder = join(config.output, config.name, "checkpoints", `step-${step}`);
  return readFileSync(join(folder, "model.safetensors"));
}
