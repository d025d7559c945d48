import { type FailureSignature, failureSignatures } from "./failure-signatures.js";
import type { StepMetrics } from "../step/metrics.js";

/** A known failure that a training shows. */
export interface TrainingWarning {
  /** Name of the signature. */
  readonly warning: string;
  readonly step: number;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Watches the metrics of a training for known failures. To be called with every step's metrics in
 * turn; returns what has newly begun to show. A failure that stops and comes back is told again.
 *
 *     const watch = watchTraining();
 *     for await (const metrics of distill(options)) watch(metrics).forEach(report);
 */
export function watchTraining(
  signatures: readonly FailureSignature[] = failureSignatures,
): (metrics: StepMetrics) => TrainingWarning[] {
  const inARow = new Map<string, number>();
  const lowest: Record<string, number> = {};
  let first: StepMetrics | undefined;
  return (metrics) => {
    first ??= metrics;
    const history = { first, lowest };
    const begun = signatures.filter((signature) => {
      const count = signature.shows(metrics, history) ? (inARow.get(signature.name) ?? 0) + 1 : 0;
      inARow.set(signature.name, count);
      return count === signature.steps;
    });
    const warnings = begun.map(({ name, remedy, describe }) => {
      const message = `Step ${metrics.step}: ${describe(metrics, history)}.`;
      return { warning: name, step: metrics.step, message, remedy };
    });
    for (const [name, value] of Object.entries(metrics.diagnostics)) {
      lowest[name] = Math.min(lowest[name] ?? value, value);
    }
    return warnings;
  };
}
