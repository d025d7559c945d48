import type { Problem, SolveOptions } from "../../data/index.js";
import type { Style } from "./fields.js";
import type { SamplerContext } from "./sampler.js";

/** How one solution differs from the task as it is configured, and how its writer is called. */
export interface Solver {
  readonly source: string;
  readonly options: SolveOptions;
}

/** The solvers of a list of styles; without one, the task as it is. */
export function solversOf(styles: readonly Style[] | undefined, errorRate?: number): Solver[] {
  const more = errorRate === undefined ? {} : { errorRate };
  return (styles ?? [{}]).map((style) => {
    const options = typeof style === "string" ? { style } : style;
    return { source: nameOf(options), options: { ...more, ...options } };
  });
}

/** `oracle`, `oracle terse`, `oracle terse, errorRate 0.2`. */
function nameOf({ style, ...others }: SolveOptions): string {
  const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const parts = [
    ...(style === undefined ? [] : [show(style)]),
    ...Object.entries(others).map(([key, value]) => `${key} ${show(value)}`),
  ];
  return parts.length === 0 ? "oracle" : `oracle ${parts.join(", ")}`;
}

/** A solution by rule. What needs one has said so, and was checked. */
export function solutionOf(
  { options }: Solver,
  problem: Problem,
  place: { readonly problem: number; readonly sample: number },
  { problems, random }: SamplerContext,
): string {
  const { solve } = problems;
  if (solve === undefined) throw new Error(`${problems.name} was not checked for solve.`);
  return solve(problem, options, random.stream("solve", place.problem, place.sample));
}
