import { labelOf, type PlannedStage, type StageEvent, stepsOf } from "../../node/index.js";
import { formatDuration } from "./format.js";
import { writeLine } from "./terminal.js";

/** One line of progress over all stages of an ablation. */
export interface StageProgress {
  show(event: StageEvent): void;
  /** Keeps what it would show, while something else has the terminal, until what it returns is called. */
  hold(): () => void;
  end(): void;
}

/** Shows how far the stages are: a line that is renewed on a terminal, a line per finished stage elsewhere. */
export function stageProgress(
  stages: readonly PlannedStage[],
  stream: NodeJS.WriteStream,
  folder: string,
): StageProgress {
  const began = performance.now();
  const total = Math.max(1, sum(stages.map(stepsOf)));
  const reached = new Map<string, number>();
  const running = new Set<string>();
  let found = 0;
  let ended = 0;
  let written = 0;
  const clear = () => {
    if (stream.isTTY) stream.write("\r\u001b[2K");
  };
  let held: string[] | undefined;
  const release = () => {
    const lines = held ?? [];
    held = undefined;
    for (const text of lines) line(text);
  };
  const line = (text: string) => {
    if (held !== undefined) return void held.push(text);
    clear();
    writeLine(stream, text);
  };
  const status = () => {
    const done = sum([...reached.values()]);
    const speed = (done - found) / (performance.now() - began);
    const left = speed > 0 ? `, ${formatDuration((total - done) / speed)} left` : "";
    const share = Math.floor((100 * done) / total);
    return `${ended}/${stages.length} runs done, ${running.size} running, ${share} % of the steps${left}`;
  };
  const renew = () => {
    if (!stream.isTTY || held !== undefined || performance.now() - written < 200) return;
    written = performance.now();
    clear();
    stream.write(status().slice(0, (stream.columns ?? 80) - 1));
  };
  return {
    show(event) {
      if (!("stage" in event)) {
        for (const text of engineLines(event, folder)) line(text);
        return;
      }
      const { stage, type } = event;
      if (type === "computes") line(computingLine(event));
      if (type === "started") running.add(stage.id);
      if (type === "step") reached.set(stage.id, event.step);
      if (type === "found" || type === "done") {
        reached.set(stage.id, stepsOf(stage));
        ended += 1;
        running.delete(stage.id);
      }
      if (type === "found") found += stepsOf(stage);
      if (type === "again" || type === "cancelled" || type === "stopped") {
        running.delete(stage.id);
        line(`${labelOf(stage)} ${endingOf(event)}; ${status()}`);
      } else if (type === "failed") {
        running.delete(stage.id);
        // What fails with it is in the report.
        if (event.because === undefined) line(`${labelOf(stage)} failed: ${event.message}`);
      } else if (type === "done") {
        line(`${labelOf(stage)}: ${event.seconds.toFixed(1)} s; ${status()}`);
      }
      renew();
    },
    hold() {
      clear();
      held = [];
      return () => {
        release();
        written = 0;
        renew();
      };
    },
    end() {
      clear();
      release();
    },
  };
}

/** Said of the first run that computes so. */
function computingLine({ stage, backend, fallback }: StageEvent & { type: "computes" }): string {
  if (fallback === undefined) return `Computing with ${backend}.`;
  return `Warning: ${labelOf(stage)} computes with plain JavaScript, many times slower, because the CPU engine does not start there: ${fallback}. "pupil doctor" on that machine says more; with backend=wasm such a run fails instead.`;
}

function endingOf(event: StageEvent & { type: "again" | "cancelled" | "stopped" }): string {
  if (event.type === "again") return `is submitted again: ${event.message.split("\n")[0]}`;
  if (event.type === "cancelled") return `was cancelled: ${event.message}`;
  const { step, metric, value, cutoff } = event.at;
  return `ends at step ${step}: ${metric} is ${value}, and ${cutoff} goes on`;
}

type EngineEvent = Exclude<StageEvent, { readonly stage: PlannedStage }>;

/** What is said of the engine as a whole. */
function engineLines(event: EngineEvent, folder: string): string[] {
  if (event.type === "away") return [`${event.message} Waiting for it; no job is lost.`];
  if (event.type === "back") return ["It answers again."];
  const { jobs, cancelWith } = event;
  if (jobs.length === 0) return [];
  const own = `npx pupil ablate ${folder} cancel`;
  return [
    `${jobs.length} jobs go on.`,
    `Show them with: npx pupil ablate ${folder} attach`,
    `Cancel them with: ${own}${cancelWith === undefined || cancelWith.length > 200 ? "" : `, or ${cancelWith}`}`,
  ];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
