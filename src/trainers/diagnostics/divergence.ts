import type { TrainingWarning } from "./watch-training.js";

/**
 * How far a loss may rise before a training counts as diverged: by three nats and three times what it was
 * at the start. A batch that is harder than the first, or another mixture of data, stays far below.
 */
function isFarAbove(now: number, start: number): boolean {
  return !(now <= start + 3 * Math.abs(start) + 3);
}

const rounded = (value: number) => String(Number(value.toPrecision(4)));

/** Which of some losses is far above its start, in words; undefined if none is. */
export function divergence(
  now: Readonly<Record<string, number>>,
  start: Readonly<Record<string, number>>,
): string | undefined {
  for (const [name, value] of Object.entries(now)) {
    const first = start[name];
    if (first === undefined || !isFarAbove(value, first)) continue;
    return `${name} has risen from ${rounded(first)} to ${rounded(value)}: the training diverges`;
  }
  return undefined;
}

/** To be called with every evaluation in turn; returns what has newly begun to show. */
export interface EvaluationWatch {
  (step: number, metrics: Readonly<Record<string, number>>): TrainingWarning[];
  /** Whether the last evaluation was far worse than the first, or not finite. */
  showing(): boolean;
}

/** Watches the held-out losses of a training, as \`watchTraining\` does its steps. */
export function watchEvaluations(): EvaluationWatch {
  const first: Record<string, number> = {};
  let isShowing = false;
  const watch = (step: number, metrics: Readonly<Record<string, number>>): TrainingWarning[] => {
    const losses = Object.entries(metrics).filter(([name]) => /\.(loss|perplexity)$/.test(name));
    for (const [name, value] of losses) if (Number.isFinite(value)) first[name] ??= value;
    const lossesAlone = losses.filter(([name]) => name.endsWith(".loss"));
    const infinite = losses.find(([, value]) => !Number.isFinite(value));
    const seen =
      divergence(Object.fromEntries(lossesAlone), first) ??
      (infinite && `${infinite[0]} is ${infinite[1]}: the training diverges`);
    const isNew = seen !== undefined && !isShowing;
    isShowing = seen !== undefined;
    if (!isNew) return [];
    return [
      {
        warning: "evaluation-diverges",
        step,
        message: `Step ${step}: ${seen}.`,
        remedy: "Lower learningRate, or go back to an earlier checkpoint.",
      },
    ];
  };
  return Object.assign(watch, { showing: () => isShowing });
}
