import { divergence, explodedNats } from "./divergence.js";
import type { TrainingWarning } from "./watch-training.js";

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
    const named = (end: string) =>
      Object.fromEntries(Object.entries(metrics).filter(([name]) => name.endsWith(end)));
    const losses = named(".loss");
    const kls = named(".forwardKl");
    for (const [name, value] of Object.entries({ ...losses, ...kls })) {
      if (Number.isFinite(value)) first[name] ??= value;
    }
    const infinite = Object.entries({ ...losses, ...named(".perplexity") }).find(
      ([, value]) => !Number.isFinite(value),
    );
    const seen =
      divergence(losses, first) ??
      divergence(kls, first, explodedNats) ??
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
