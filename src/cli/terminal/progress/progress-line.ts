import type { ChalkInstance } from "chalk";
import type { StepMetrics } from "../../../trainers/index.js";
import { fixedDuration, fixedNumber, sparkline } from "./fixed.js";

/** What a line of progress shows. */
export interface ProgressState {
  readonly metrics: StepMetrics;
  readonly steps: number;
  /** Losses of the last steps. */
  readonly losses: readonly number[];
  readonly tokensPerSecond: number;
  readonly leftMs: number;
}

/** Measures beside the loss, the two first ones that a run has. KL: f is KL(teacher ‖ student), r KL(student ‖ teacher). */
const measures: readonly (readonly [
  label: string,
  of: (metrics: StepMetrics) => number | undefined,
])[] = [
  ["rwd", ({ reward }) => reward],
  ["len", ({ reward, rolloutLength }) => (reward === undefined ? undefined : rolloutLength)],
  ["fKL", ({ diagnostics }) => diagnostics["forwardKl"] ?? diagnostics["coarseForwardKl"]],
  ["rKL", ({ diagnostics }) => diagnostics["reverseKl"] ?? diagnostics["coarseReverseKl"]],
  ["ent", ({ diagnostics }) => diagnostics["studentEntropy"]],
  ["gn", ({ gradNorm }) => gradNorm],
];

interface Part {
  readonly text: string;
  readonly style: (text: string) => string;
  /** What goes first where there is no room. */
  readonly rank: number;
}

/**
 * A line of progress in fixed places, never longer than `width`: bar, step, loss, two measures, the losses of
 * the last stretch, tokens a second, time left. What has no room is left out, the least needed first; the bar
 * takes what is over.
 */
export function progressLine(state: ProgressState, width: number, colours: ChalkInstance): string {
  const { metrics, steps, losses, tokensPerSecond, leftMs } = state;
  const total = String(steps);
  const labelled = (label: string, value: number | undefined) => `${label} ${fixedNumber(value)}`;
  const shown = measures
    .map(([label, of]) => [label, of(metrics)] as const)
    .filter(([, value]) => value !== undefined)
    .slice(0, 2);
  const parts: Part[] = [
    {
      text: `${String(metrics.step).padStart(total.length)}/${total}`,
      style: colours.bold,
      rank: 0,
    },
    { text: labelled("loss", metrics.loss), style: (text) => text, rank: 1 },
    ...shown.map(([label, value], i) => ({
      ...{ text: labelled(label, value), style: (text: string) => text, rank: 3 + 2 * i },
    })),
    { text: sparkline(losses, 8), style: colours.cyan, rank: 6 },
    { text: `${fixedNumber(tokensPerSecond)} tok/s`, style: colours.dim, rank: 4 },
    { text: fixedDuration(leftMs), style: (text) => text, rank: 2 },
  ];
  const kept = fitting(parts, width);
  const length = lengthOf(kept);
  const room = width - length - 1;
  const bar =
    room < 3 ? [] : [barOf(metrics.step / Math.max(1, steps), Math.min(20, room), colours)];
  return [...bar, ...kept.map(({ text, style }) => style(text))].join(" ");
}

const lengthOf = (parts: readonly Part[]) =>
  parts.reduce((sum, { text }) => sum + text.length + 1, -1);

function fitting(parts: readonly Part[], width: number): readonly Part[] {
  if (parts.length === 0 || lengthOf(parts) <= width) return parts;
  const last = Math.max(...parts.map(({ rank }) => rank));
  return fitting(
    parts.filter(({ rank }) => rank !== last),
    width,
  );
}

function barOf(share: number, width: number, colours: ChalkInstance): string {
  const full = Math.min(width, Math.floor(share * width));
  return colours.green("█".repeat(full)) + colours.dim("░".repeat(width - full));
}
