import type { RunEvent } from "../../../node/index.js";
import { coloursFor } from "../colours.js";
import { formatDuration, formatMetrics, formatNumber } from "../format.js";
import { printable, writeLine } from "../terminal.js";
import { progressLine } from "./progress-line.js";

/** Shows the events of a run. */
export interface Progress {
  show(event: RunEvent): void;
  line(text: string): void;
  end(): void;
}

type Stream = Pick<NodeJS.WriteStream, "write" | "columns" | "isTTY">;

/**
 * A line that is renewed where someone watches; plain lines, a step now and then, into a file or pipe. With a
 * file for stdout and a terminal for stderr there are both.
 */
export function showProgress(
  steps: number,
  { stdout, stderr }: Record<"stdout" | "stderr", Stream>,
): Progress {
  const shown = [
    ...(stderr.isTTY ? [watchedProgress(stderr)] : []),
    ...(stdout.isTTY
      ? stderr.isTTY
        ? []
        : [writtenProgress(steps, stderr)]
      : [writtenProgress(steps, stdout)]),
  ];
  return {
    show: (event) => shown.forEach((progress) => progress.show(event)),
    line: (text) => shown.forEach((progress) => progress.line(text)),
    end: () => shown.forEach((progress) => progress.end()),
  };
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
    return {
      tokensPerSecond: (tokens / Math.max(1, elapsedMs)) * 1000,
      leftMs: (elapsedMs / recent.length) * (steps - metrics.step),
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

/** Losses that the line of progress shows, at most. */
const stretch = 64;
/** Between two renewals of the line. */
const leastMs = 80;

function watchedProgress(stream: Stream): Progress {
  const colours = coloursFor(stream);
  const speed = speedometer();
  const losses: number[] = [];
  let isShown = false;
  let shownAt = -Infinity;
  const clear = () => {
    if (isShown) stream.write("\r\u001b[2K");
    isShown = false;
  };
  const line = (text: string, style = (plain: string) => plain) => {
    clear();
    stream.write(`${style(printable(text))}\n`);
  };
  const showStep = (event: StepEvent) => {
    const { metrics, steps } = event;
    losses.push(metrics.loss);
    if (losses.length > stretch) losses.shift();
    const state = { metrics, steps, losses, ...speed(event) };
    if (performance.now() - shownAt < leastMs && metrics.step !== steps) return;
    shownAt = performance.now();
    // The last column would break the line on some terminals.
    const text = progressLine(state, (stream.columns ?? 80) - 1, colours);
    stream.write(`\r\u001b[2K${text}`);
    isShown = true;
  };
  const styles = { warning: colours.yellow, finished: colours.bold };
  return {
    show(event) {
      if (event.type === "step") showStep(event);
      else
        line(
          eventText(event),
          event.type in styles ? styles[event.type as keyof typeof styles] : undefined,
        );
    },
    line: (text) => line(text),
    end: () => {
      // What was reached stays to be read.
      if (isShown) stream.write("\n");
      isShown = false;
    },
  };
}

function writtenProgress(steps: number, stream: Stream): Progress {
  const every = Math.max(1, Math.floor(steps / 50));
  const speed = speedometer();
  const line = (text: string) => writeLine(stream, text);
  const showStep = (event: StepEvent) => {
    const { tokensPerSecond, leftMs } = speed(event);
    const { step } = event.metrics;
    if (step % every !== 0 && step !== steps) return;
    const [tokens, left] = [formatNumber(tokensPerSecond), formatDuration(leftMs)];
    line(`step ${step}/${steps}  ${stepText(event)}  ${tokens} tokens/s  ${left} left`);
  };
  const show = (event: RunEvent) =>
    event.type === "step" ? showStep(event) : line(eventText(event));
  return { show, line, end: () => undefined };
}
