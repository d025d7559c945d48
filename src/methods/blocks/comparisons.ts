import type { MethodComparison } from "../define.js";

/** "This arm has more of the measure than that one"; without one: than the method's baseline. */
export function higher(metric: string, arm: string, baseline?: string): MethodComparison {
  return { arm, metric, direction: "higher", ...(baseline === undefined ? {} : { baseline }) };
}

/** "This arm has less of the measure than that one"; without one: than the method's baseline. */
export function lower(metric: string, arm: string, baseline?: string): MethodComparison {
  return { arm, metric, direction: "lower", ...(baseline === undefined ? {} : { baseline }) };
}
