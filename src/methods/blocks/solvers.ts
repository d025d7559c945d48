import { z } from "zod";
import type { DerivedMeasure, Stage, StageRun } from "../../config/index.js";
import type { VerifierConfig } from "../../data/index.js";
import { type BaseSettings, stepsField } from "./settings.js";
import { chooseStage, sftStage } from "./stages.js";
import { askRowsOf, countField, rowsOf, tracesStage, verifierField } from "./traces.js";

const solver = z.strictObject({
  styles: z.array(z.string()).min(1).describe("Of the task, taking turns."),
  errorRate: z.number().min(0).lt(1).describe("Share of wrong solutions."),
});

/** Teachers by name that are the task's own solver: how each writes, and how often it is wrong. */
export type Solvers = Readonly<Record<string, z.output<typeof solver>>>;

/** A setting: who solves the problems that traces are made of. */
export const solversField = (fallback: Solvers, text: string) =>
  z.record(z.string().regex(/^\w+$/), solver).default(fallback).describe(text);

/** The sampler of such a teacher. */
export function solverSampler(of: Solvers[string], samplesPerProblem = 1) {
  return { type: "oracle", use: "turn", samplesPerProblem, ...of } as const;
}

/** What the best of them made: each has a stage `<take>-<name>` and one `<score>-<name>`. */
export function chooseSolver(
  name: string,
  solvers: Solvers,
  { metric, take, score }: Readonly<Record<"metric" | "take" | "score", string>>,
): Stage {
  const candidates = Object.keys(solvers).map((solverName) => [
    solverName,
    { take: `${take}-${solverName}`, score: `${score}-${solverName}` },
  ]);
  return chooseStage(name, metric, Object.fromEntries(candidates));
}

/**
 * How far the measure by which an arm chose (its stage `chosen`) puts the solvers in the order in which
 * arms of their own, `<whole> <name>`, come out: Kendall's τ.
 */
export function orderOf(
  solvers: Solvers,
  arm: string,
  whole: string,
  metric: string,
): DerivedMeasure {
  const names = Object.keys(solvers);
  return {
    type: "rank-correlation",
    points: names.map((name) => ({ arm, metric: `chosen.${name}` })),
    with: names.map((name) => ({ arm: `${whole} ${name}`, metric })),
  };
}

/** Fields of smoke tests. */
export function smokeSettings() {
  return {
    smokeProblems: countField(100, "a teacher solves for its smoke test, and for its accuracy"),
    smokeSteps: stepsField(100, "a smoke test"),
    trialProblems: countField(200, "smoke tests are scored on"),
    verifier: verifierField,
  };
}

/** The settings that {@link smokeSettings} gives, beside the base ones. */
export interface SmokeSettings extends BaseSettings {
  readonly smokeProblems: number;
  readonly smokeSteps: number;
  readonly trialProblems: number;
  readonly verifier: VerifierConfig;
}

/** Where smoke tests begin, and the training problems that they are scored on. */
export interface SmokeStart {
  readonly student: StageRun["student"];
  readonly learningRate: number;
  /** The first of them; those before are learned from. */
  readonly trialStart: number;
}

/** For each solver a stage `sample-<name>`: solutions of a few problems, right or wrong. */
export function sampleStages(s: SmokeSettings, solvers: Solvers): Stage[] {
  return Object.entries(solvers).map(([name, of]) =>
    tracesStage(`sample-${name}`, s, { count: s.smokeProblems, sampler: solverSampler(of) }),
  );
}

/** How corpora are made. */
export interface CorpusOptions {
  /** Problems that are solved, each so many times. */
  readonly count: number;
  readonly samples: number;
  /** What chooses among right solutions; it may go by the traces of a stage `attempts`. */
  readonly steps: readonly object[];
  /** Rows, at most. */
  readonly limit: number;
}

/** For each solver a stage `corpus-<name>`. */
export function corpusStages(
  s: BaseSettings,
  solvers: Solvers,
  { count, limit, samples, steps }: CorpusOptions,
): Stage[] {
  return Object.entries(solvers).map(([name, of]) =>
    tracesStage(`corpus-${name}`, s, {
      ...{ count, sampler: solverSampler(of, samples) },
      ...(steps.length > 0 ? { traces: "stage:attempts" } : {}),
      steps: [{ type: "correct" }, ...steps, { type: "limit", rows: limit }],
    }),
  );
}

/**
 * For each solver `few-<name>`, right solutions of a few problems, and `smoke-<name>`, a short SFT on them.
 * All are scored on the rows of `trial`: training problems, which are not those of the result.
 */
export function smokeStages(
  s: SmokeSettings,
  solvers: Solvers,
  { student, learningRate, trialStart: start }: SmokeStart,
): Stage[] {
  const { trialProblems: rows, smokeProblems: count, smokeSteps: steps } = s;
  const evaluation = { data: askRowsOf("trial", s.verifier), rows };
  return [
    tracesStage("trial", s, { start, count: rows, sampler: { type: "given" } }),
    ...Object.entries(solvers).flatMap(([name, of]) => [
      tracesStage(`few-${name}`, s, {
        ...{ count, sampler: solverSampler(of), steps: [{ type: "correct" }] },
      }),
      sftStage(`smoke-${name}`, s, {
        ...{ student, steps, learningRate, evaluation, data: rowsOf(`few-${name}`) },
      }),
    ]),
  ];
}
