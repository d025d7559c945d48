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

/** To be called with every step's metrics in turn; returns what has newly begun to show. */
export interface TrainingWatch {
  (metrics: StepMetrics): TrainingWarning[];
  /** Names of the failures that the last step shows. */
  showing(): string[];
}

/**
 * Watches the metrics of a training for known failures. A failure that stops and comes back is told
 * again.
 *
 *     const watch = watchTraining();
 *     for await (const metrics of distill(options)) watch(metrics).forEach(report);
 */
export function watchTraining(
  signatures: readonly FailureSignature[] = failureSignatures,
): TrainingWatch {
  const inARow = new Map<string, number>();
  const lowest: Record<string, number> = {};
  const firstTerms: Record<string, number> = {};
  let first: StepMetrics | undefined;
  const watch = (metrics: StepMetrics) => {
    first ??= metrics;
    for (const [name, value] of Object.entries(metrics.terms)) {
      // Zero is what a term gives that no row of the step has anything for.
      if (value !== 0) firstTerms[name] ??= value;
    }
    const history = { first, lowest, firstTerms };
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
  const showing = () =>
    signatures
      .filter(({ name, steps }) => (inARow.get(name) ?? 0) >= steps)
      .map(({ name }) => name);
  return Object.assign(watch, { showing });
}
