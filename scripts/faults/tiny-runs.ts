import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, type RunConfig, runConfigSchema } from "../../src/config/index.js";
import { type RunEvent, trainRun } from "../../src/node/index.js";

/** A run with everything that a run writes, which takes a moment on the plain JavaScript backend. */
export function tinyConfig(output: string, changes: object = {}): RunConfig {
  const config = {
    name: "tiny",
    output,
    backend: "cpu",
    student: { architecture: { family: "llama", hiddenSize: 4, numLayers: 1, numHeads: 1 } },
    data: { type: "task", task: { type: "addition", maxDigits: 1, style: "direct" } },
    // A learning rate that lets it diverge, so that there are warnings too.
    trainer: { type: "sft", steps: 5, batchSize: 2, learningRate: 30, schedule: "constant" },
    evaluation: { every: 2, rows: 2 },
    checkpoint: { every: 2, keep: 2 },
    ...changes,
  };
  return parseConfig(runConfigSchema, config, "tiny");
}

export const pathOf = ({ output, name }: RunConfig) => join(output, name);

/** Runs to the end, or until an event. */
export async function runUntil(
  config: RunConfig,
  resume: boolean,
  isEnd: (event: RunEvent) => boolean = () => false,
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of trainRun({ config, path: pathOf(config), resume })) {
    events.push(event);
    if (isEnd(event)) break;
  }
  return events;
}

/** Everything that a run leaves, but for times: what two runs must have in common. */
export interface RunRemains {
  readonly files: readonly string[];
  readonly metrics: readonly unknown[];
  readonly completions: readonly unknown[];
  readonly summary: unknown;
  readonly weights: string;
}

const times = new Set(["elapsedMs", "elapsedSeconds", "tokensPerSecond", "time"]);
/** Of what processes did, which is not the same in a run that was stopped. */
const ofProcesses = /"type":"(checkpoint|resume)"/;

export function remainsOf(config: RunConfig): RunRemains {
  const path = pathOf(config);
  const withoutTimes = (text: string): unknown =>
    JSON.parse(text, (key, value: unknown) => {
      if (key === "checkpoint" && typeof value === "string") return value.slice(path.length);
      return times.has(key) ? undefined : value;
    });
  const rows = (name: string) => {
    const lines = readFileSync(join(path, name), "utf8").split("\n");
    return lines
      .slice(0, -1)
      .filter((line) => !ofProcesses.test(line))
      .map(withoutTimes);
  };
  const last = join(path, "checkpoints", `step-${config.trainer.steps}`);
  return {
    files: readdirSync(path, { recursive: true }).map(String).sort(),
    metrics: rows("metrics.jsonl"),
    completions: rows("completions.jsonl"),
    summary: withoutTimes(readFileSync(join(path, "summary.json"), "utf8")),
    weights: ["model.safetensors", "optimizer.safetensors", "trainer-state.json"]
      .map((name) => readFileSync(join(last, name), "base64"))
      .join("\n"),
  };
}

/** Names of the first parts of two runs that differ. */
export function differingParts(a: RunRemains, b: RunRemains): string[] {
  return (Object.keys(a) as (keyof RunRemains)[]).filter(
    (part) => JSON.stringify(a[part]) !== JSON.stringify(b[part]),
  );
}

/** Steps whose folders bear the name of a complete checkpoint. */
export function checkpointsOf(config: RunConfig): string[] {
  const folder = join(pathOf(config), "checkpoints");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .map((name) => join(folder, name));
}
