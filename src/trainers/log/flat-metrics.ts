import type { StepMetrics } from "../step/metrics.js";
import { numberIn, type StepRow, type Values } from "./log-row.js";

/**
 * Numbers by flat names: the path of each, joined by dots. Infinite ones may be strings, as JSON has them;
 * what is no number is left out.
 */
export function flatValues(fields: Readonly<Record<string, unknown>>): Values {
  const values: Record<string, number> = {};
  const add = (name: string, value: unknown): void => {
    const number = numberIn(value);
    if (number !== undefined) values[name] = number;
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) add(`${name}.${key}`, inner);
  };
  for (const [name, value] of Object.entries(fields)) add(name, value);
  return values;
}

/** The metrics of a step by flat names. What a loss does not remember yet (null) is left out. */
export function flatMetrics({ step: _, isMidRollout: _flag, ...metrics }: StepMetrics): Values {
  return flatValues(metrics);
}

/** The metrics of a step again, of its row; what was null in a loss's memory is absent. */
export function metricsOfRow({ step, isMidRollout, values }: StepRow): StepMetrics {
  const metrics: Record<string, unknown> = { step, terms: {}, diagnostics: {} };
  for (const [name, value] of Object.entries(values)) {
    const path = pathOf(name);
    const last = path.pop() as string;
    let inner = metrics;
    for (const key of path) inner = (inner[key] ??= {}) as Record<string, unknown>;
    inner[last] = value;
  }
  return { ...metrics, ...(isMidRollout && { isMidRollout }) } as unknown as StepMetrics;
}

/** Fields of `StepMetrics` that hold quantities by name and then by quantity: the last dot parts those. */
const groupsOfGroups = ["routedDivergences", "lossStates"];

/** Names of terms, rewards and teachers may have dots of their own. */
function pathOf(name: string): string[] {
  const first = name.indexOf(".");
  if (first < 0) return [name];
  const [group, rest] = [name.slice(0, first), name.slice(first + 1)];
  const last = rest.lastIndexOf(".");
  if (!groupsOfGroups.includes(group) || last < 0) return [group, rest];
  return [group, rest.slice(0, last), rest.slice(last + 1)];
}
