import cliProgress from "cli-progress";
import type { RunEvent } from "../node/index.js";
import { formatDuration, formatMetrics, formatNumber } from "./format.js";
import { writeLine } from "./terminal.js";

/** Shows the events of a run: a bar on a terminal, plain lines otherwise. */
export interface Progress {
  show(event: RunEvent): void;
  line(text: string): void;
  end(): void;
}

export function showProgress(steps: number, stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? barProgress(steps, stream) : lineProgress(steps, stream);
}

type StepEvent = Extract<RunEvent, { type: "step" }>;

/** Speed and time left over the last steps, so that a slow start does not distort them. */
function speedometer() {
  const recent: { tokens: number; elapsedMs: number }[] = [];
  return ({ metrics, steps }: StepEvent) => {
    recent.push(metrics);
    if (recent.length > 20) recent.shift();
    const tokens = recent.reduce((sum, step) => sum + step.tokens, 0);
    const elapsedMs = recent.reduce((sum, step) => sum + step.elapsedMs, 0);
    const leftMs = (elapsedMs / recent.length) * (steps - metrics.step);
    return {
      tokensPerSecond: formatNumber((tokens / Math.max(1, elapsedMs)) * 1000),
      left: formatDuration(leftMs),
    };
  };
}

function stepText({ metrics }: StepEvent): string {
  const { loss, terms, diagnostics, reward, rolloutLength } = metrics;
  const named = Object.entries(terms).map(([name, value]) => `${name} ${formatNumber(value)}`);
  // One unweighted term is the loss itself.
  const first = terms[Object.keys(terms)[0] ?? ""];
  const text = named.length === 1 && first === loss ? [] : [`loss ${formatNumber(loss)}`];
  const shown = ["studentEntropy", "topOneAgreement"].flatMap((name) => {
    const value = diagnostics[name];
    return value === undefined ? [] : [`${name} ${formatNumber(value)}`];
  });
  const ofRewards =
    reward === undefined
      ? []
      : [`reward ${formatNumber(reward)}`, `length ${formatNumber(rolloutLength ?? 0)}`];
  return [...ofRewards, ...text, ...named, ...shown].join("  ");
}

/** The line of any event but a step. */
function eventText(event: Exclude<RunEvent, StepEvent>): string {
  switch (event.type) {
    case "started":
      return [...event.notes, `Run folder: ${event.path}`].join("\n");
    case "resumed":
      return [...event.notes, `Resuming ${event.path} after step ${event.step}.`].join("\n");
    case "warning":
      return `warning: ${event.warning.message} ${event.warning.remedy}`;
    case "evaluation":
      return `step ${event.step}  ${formatMetrics(event.metrics)}`;
    case "checkpoint":
      return `step ${event.step}  saved ${event.path}`;
    case "finished": {
      const { summary, stopped } = event;
      const seconds = formatDuration(summary.elapsedSeconds * 1000);
      const speed = formatNumber(summary.tokensPerSecond);
      const ended = `${stopped ? "Stopped" : "Finished"} at step ${summary.steps}`;
      const end = summary.diverged ? `Diverged: the student is of no use. ${ended}` : ended;
      return `${end}: ${seconds} of training, ${speed} tokens/s.`;
    }
  }
}

function barProgress(steps: number, stream: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: "{bar} {value}/{total}  {text}  {tokensPerSecond} tokens/s  {left} left",
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const speed = speedometer();
  let started = false;
  const end = () => {
    if (started) bar.stop();
    started = false;
  };
  const line = (text: string) => {
    end();
    writeLine(stream, text);
  };
  const showStep = (event: StepEvent) => {
    const payload = { text: stepText(event), ...speed(event) };
    if (!started) bar.start(steps, event.metrics.step, payload);
    else bar.update(event.metrics.step, payload);
    started = true;
  };
  const show = (event: RunEvent) =>
    event.type === "step" ? showStep(event) : line(eventText(event));
  return { show, line, end };
}

function lineProgress(steps: number, stream: NodeJS.WriteStream): Progress {
  const every = Math.max(1, Math.floor(steps / 50));
  const speed = speedometer();
  const line = (text: string) => writeLine(stream, text);
  const showStep = (event: StepEvent) => {
    const { tokensPerSecond, left } = speed(event);
    const { step } = event.metrics;
    if (step % every !== 0 && step !== steps) return;
    line(`step ${step}/${steps}  ${stepText(event)}  ${tokensPerSecond} tokens/s  ${left} left`);
  };
  const show = (event: RunEvent) =>
    event.type === "step" ? showStep(event) : line(eventText(event));
  return { show, line, end: () => undefined };
}
