import type { z } from "zod";
import type { DerivedMeasures, Stage } from "../config/index.js";
import type { Comparison, DerivedComparison } from "../statistics/index.js";

/**
 * Where a value of a paper is known from. SRC: the authors' own repository or paper; 3P: code or notes of
 * others; ABS: the abstract or a summary; REC: not verified, a reconstruction of ours.
 */
export type Provenance = "SRC" | "3P" | "ABS" | "REC";

/** What the paper used, for the table of settings. */
export interface PaperSetting {
  readonly value: string | number;
  readonly source: Provenance;
  /** What stands for it here, where it is no setting of the method. */
  readonly here?: string;
}

/**
 * What a method asks of its problems beside prompts, answers and a verifier. `completion`: a worked
 * solution of each, which tasks have and rows of files may have; the others are members of a
 * `ProblemSource` and only tasks have them.
 */
export type Capability = "completion" | "solve" | "checkSteps" | "continueFrom" | "respond";

/** A value, or what it is with certain settings. */
export type OfSettings<T, S> = T | { of(settings: S): T }["of"];

/** A comparison of a claim; without `baseline` it is against the method's. */
export type MethodComparison =
  | (Omit<Comparison, "baseline"> & { readonly baseline?: string })
  | DerivedComparison;

/**
 * A published method as an ablation: what it claims, and the arms that show it. It composes stages, losses
 * and data of the library and holds no arithmetic. See docs/extending/method.md.
 */
export interface MethodDefinition<S extends z.ZodObject = z.ZodObject> {
  /** In the list of papers that the project goes by; absent for methods beside it. */
  readonly number?: number;
  /** In commands and folders; the file is called the same. */
  readonly name: string;
  readonly title: string;
  readonly paper: { readonly citation: string; readonly url: string };
  /** The paper's claim in one sentence, as the comparisons put it to the test. */
  readonly claim: string;
  /** proxy: some mechanism is replaced, and `note` says by what. */
  readonly fidelity: "faithful" | "proxy";
  readonly note?: string;
  /**
   * Strict, every field with a default and a description; the description of a value that was not verified
   * begins with "[REC]". `problems` is where the problems come from (see `baseSettings`).
   */
  readonly settings: S;
  readonly paperSettings: Readonly<Record<string, PaperSetting>>;
  /** Default: none but prompts, answers and a verifier. */
  readonly needs?: readonly Capability[];
  /** By name the stages of each arm, in their order. The last one is a run; its measures are the arm's. */
  arms(settings: z.output<S>): Readonly<Record<string, readonly Stage[]>>;
  readonly baseline: OfSettings<string, z.output<S>>;
  /** All of them must hold. */
  readonly comparisons: OfSettings<readonly MethodComparison[], z.output<S>>;
  readonly derived?: OfSettings<DerivedMeasures, z.output<S>>;
  /** Measures of the report, the most important one first. Default: all. */
  readonly metrics?: OfSettings<readonly string[], z.output<S>>;
  /** What is equal in all arms. */
  readonly fairness: { readonly equal: "steps" | "tokens" | "rollouts"; readonly note: string };
  /** Settings beside those that `shrink` makes small, for a run that only checks the wiring. */
  readonly smoke?: z.input<S>;
}

/** Types a method from its parts; returns it unchanged. */
export function defineMethod<S extends z.ZodObject>(
  definition: MethodDefinition<S>,
): MethodDefinition<S> {
  return definition;
}

/** A field of a method with its settings filled in. */
export function ofSettings<T, S>(field: OfSettings<T, S>, settings: S): T {
  return typeof field === "function" ? (field as (settings: S) => T)(settings) : field;
}
