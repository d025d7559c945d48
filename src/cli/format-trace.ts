import type { ChalkInstance } from "chalk";
import type { TracedText } from "../node/index.js";
import type { TracedToken } from "../trainers/index.js";
import { fixedNumber } from "./progress/fixed.js";
import { printable } from "./terminal.js";

export interface TraceFormat {
  readonly by: "forwardKl" | "reverseKl";
  /** Likeliest tokens of both models that are listed; 0: none. */
  readonly alternatives: number;
}

/**
 * From which KL on, in nats, a token has which background: one hue from light to dark, which is seen by those
 * too who tell few colours apart; and what stands for it on terminals with sixteen colours.
 */
const ramp = [
  {
    least: 2,
    background: "#b30000",
    ink: "#ffffff",
    ofSixteen: (c: ChalkInstance) => c.bgRed.white,
  },
  { least: 1, background: "#e34a33", ink: "#000000", ofSixteen: (c: ChalkInstance) => c.red },
  {
    least: 0.5,
    background: "#fc8d59",
    ink: "#000000",
    ofSixteen: (c: ChalkInstance) => c.bgYellow.black,
  },
  { least: 0.2, background: "#fdcc8a", ink: "#000000", ofSixteen: (c: ChalkInstance) => c.yellow },
  {
    least: 0.05,
    background: "#fef0d9",
    ink: "#000000",
    ofSixteen: (c: ChalkInstance) => c.underline,
  },
] as const;

/**
 * A text whose tokens are coloured by their KL, with a legend and the mean; without colours, or where
 * alternatives are asked for, a line for each token.
 */
export function tracedLines(
  { given, tokens }: TracedText,
  { by, alternatives }: TraceFormat,
  colours: ChalkInstance,
): string[] {
  const klOf = (token: TracedToken) => token[by] ?? 0;
  const mean = tokens.reduce((sum, token) => sum + klOf(token), 0) / Math.max(1, tokens.length);
  const name = by === "forwardKl" ? "KL(teacher ‖ student)" : "KL(student ‖ teacher)";
  const paint = (text: string, kl: number) => {
    const step = ramp.find(({ least }) => kl >= least || Number.isNaN(kl));
    if (step === undefined) return text;
    if (colours.level < 2) return step.ofSixteen(colours)(text);
    return colours.bgHex(step.background).hex(step.ink)(text);
  };
  const total = `Mean ${name}: ${fixedNumber(mean).trim()} nats a token over ${tokens.length} tokens.`;
  const isPlain = colours.level === 0;
  const text = [
    colours.dim(printable(given)),
    ...tokens.map((token) => paint(printable(token.text), klOf(token))),
  ].join("");
  const legend = [...ramp].reverse().map(({ least }) => paint(` ≥ ${least} `, least));
  return [
    ...(isPlain ? [] : [text, "", `${name} in nats: ${legend.join(" ")}`]),
    ...(isPlain || alternatives > 0 ? tokenLines(tokens, alternatives, klOf, paint) : []),
    total,
  ];
}

function tokenLines(
  tokens: readonly TracedToken[],
  alternatives: number,
  klOf: (token: TracedToken) => number,
  paint: (text: string, kl: number) => string,
): string[] {
  const shown = tokens.map((token) => quoted(token.text));
  const width = Math.max(5, ...shown.map((text) => text.length));
  const lists = tokens.map((token) => listOf(token.student, alternatives));
  const listWidth = Math.max(7, ...lists.map((text) => text.length));
  const head = ["token".padEnd(width), "   fKL", "   rKL", "   adv"];
  const heads = alternatives > 0 ? [...head, "student".padEnd(listWidth), "teacher"] : head;
  return [
    heads.join("  "),
    ...tokens.map((token, i) => {
      const { forwardKl, reverseKl, advantage, teacher = [] } = token;
      const cells = [
        paint((shown[i] as string).padEnd(width), klOf(token)),
        ...[forwardKl, reverseKl, advantage].map(fixedNumber),
        ...(alternatives > 0
          ? [(lists[i] as string).padEnd(listWidth), listOf(teacher, alternatives)]
          : []),
      ];
      return cells.join("  ");
    }),
    "",
  ];
}

const quoted = (text: string) => printable(JSON.stringify(text));

const listOf = (list: TracedToken["student"], count: number) =>
  list
    .slice(0, count)
    .map(({ text, probability }) => `${quoted(text)} ${(100 * probability).toFixed(1)} %`)
    .join(", ");
