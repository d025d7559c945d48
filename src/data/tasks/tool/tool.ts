import { z } from "zod";
import type { Random } from "../../../tensors/index.js";
import { drawProblem } from "../chain/graph.js";
import { lastValue, operations, solve } from "../chain/problem.js";
import { writeEquation } from "../chain/text.js";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawLength,
  drawStyle,
  styleField,
  type TaskSplit,
} from "../define.js";
import {
  judgeEpisode,
  type Line,
  readLine,
  respondTo,
  type ToolProblem,
  writeEpisode,
} from "./episode.js";

export type { ToolProblem } from "./episode.js";

const styles = ["reasons", "acts"] as const;
type Style = (typeof styles)[number];

const mistakes = ["look", "operand", "operation", "final"] as const;
type MistakeKind = (typeof mistakes)[number];

// So that every quantity of the longest problem has a name of its own.
const hopLimit = 8;

const config = z
  .strictObject({
    minHops: z.int().min(1).default(1).describe("Fewest quantities to compute."),
    maxHops: z.int().min(1).default(3).describe("Most quantities to compute in training."),
    operations: z
      .array(z.enum(operations))
      .min(1)
      .default([...operations])
      .describe("Operations that occur; products always have a small number as one factor."),
    modulus: z
      .int()
      .min(10)
      .max(10_000)
      .default(100)
      .describe("The calculator computes modulo this, so that numbers stay short."),
    maxActions: z
      .int()
      .min(1)
      .default(32)
      .describe("Actions that a solution may have; one with more is wrong."),
    style: styleField(styles, "reasons").describe(
      "What the oracle writes (a list: one of them at random): reasons, the equation of every hop before its actions; acts, the actions alone.",
    ),
    mistakes: z
      .array(z.enum(mistakes))
      .min(1)
      .default([...mistakes])
      .describe(
        "What goes wrong in wrong traces, one of these in one action: look, another name is looked up; operand, another number is computed with; operation, another one is used; final, another number is answered. Where none of them makes the answer wrong, the last does.",
      ),
    ...commonTaskFields,
  })
  .refine(({ minHops, maxHops }) => minHops <= maxHops, {
    message: "must not be smaller than minHops",
    path: ["maxHops"],
  })
  .refine(({ maxHops, longerBy }) => maxHops + longerBy <= hopLimit, {
    message: `maxHops + longerBy must not exceed ${hopLimit}`,
    path: ["longerBy"],
  });

/**
 * An agent's loop: quantities are to be computed from others that only a tool tells. The prompt is
 * `b=a+4;c=b*3;c?`; a completion has lines of what is thought (`R:b=a+4`), done (`A:look a`,
 * `A:calc 17+4`) and answered (`F:63`), and behind every action a line of what the world says to it
 * (`O:17`), which `respond` gives. What the world does not understand it answers with `O:?`.
 *
 * Problems whose steps are the same numerically are in the same split.
 */
export const toolTask = defineTask({
  name: "tool",
  summary: "Looks up and calculates in a loop of thought, action and observation.",
  config,
  alphabet: () => "0123456789+-*= \n;?:RAOFabcdefghijklmnopqrstuvwxyz",
  generate(options, split, random): ToolProblem {
    const { minHops, maxHops, longerBy, maxActions } = options;
    const graph = { ...options, distractors: 0, order: "shuffled", wording: "symbols" } as const;
    const draw = () => {
      const hops = drawLength(split, [minHops, maxHops], longerBy, random);
      return { ...drawProblem(hops, graph, random), maxActions };
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt({ facts, hops }: ToolProblem) {
    const equations = facts.filter((fact) => !("value" in fact)).map(writeEquation);
    return `${equations.join(";")};${hops.at(-1)}?\n`;
  },
  answer: (problem: ToolProblem) => String(lastValue(solve(problem))),
  oracle(problem, { style, errorRate, mistakes: kinds }, random) {
    const isWrong = random.uniform() < errorRate;
    const drawn = drawStyle(style, random);
    if (!isWrong) return rightTrace(problem, drawn);
    return wrongTrace(problem, drawn, kinds, random);
  },
  verify(problem, completion) {
    const line = readLine(completion.slice(completion.lastIndexOf("\n") + 1));
    const answer = line.kind === "final" ? String(line.value) : undefined;
    const actions = completion.match(/^A:/gm)?.length ?? 0;
    return {
      correct: answer === String(lastValue(solve(problem))) && actions <= problem.maxActions,
      answer,
      traceCorrect: styles.some((style) => completion === rightTrace(problem, style)),
    };
  },
  checkSteps: (problem, completion) => judgeEpisode(problem, completion).lines,
  continueFrom(problem, prefix, { style }, random) {
    const drawn = drawStyle(style, random);
    return restOfEpisode(problem, prefix, drawn);
  },
  respond: respondTo,
});

function splitOf(
  problem: ToolProblem,
  { maxHops, heldOutFraction }: { readonly maxHops: number; readonly heldOutFraction: number },
): TaskSplit {
  const steps = solve(problem).map(({ left, operation, right }) => {
    const swap = operation !== "-" && left > right;
    return swap ? `${right}${operation}${left}` : `${left}${operation}${right}`;
  });
  const canonical = `tool:${problem.modulus}:${steps.join(";")}`;
  return assignSplit(problem.hops.length > maxHops, canonical, heldOutFraction);
}

function rightTrace(problem: ToolProblem, style: Style): string {
  return writeEpisode(problem, { reasons: style === "reasons", known: new Map() }).join("\n");
}

function wrongTrace(
  problem: ToolProblem,
  style: Style,
  kinds: readonly MistakeKind[],
  random: Random,
): string {
  const right = lastValue(solve(problem));
  const actions = rightTrace(problem, style).match(/^[AF]:/gm)?.length ?? 1;
  for (let attempt = 0; ; attempt++) {
    const kind = attempt < 16 * kinds.length ? random.pick(kinds) : "final";
    const at = kind === "final" ? actions - 1 : random.integer(actions);
    const make = (action: Line) => mistaken(problem, kind, action, random);
    const slip = { at, make };
    const lines = writeEpisode(problem, { reasons: style === "reasons", known: new Map(), slip });
    const answer = readLine(lines.at(-1) ?? "");
    if (answer.kind === "final" && answer.value !== right) return lines.join("\n");
  }
}

/** The action with a mistake in it, or as it is where that cannot be made. */
function mistaken(
  { facts, modulus }: ToolProblem,
  kind: MistakeKind,
  action: Line,
  random: Random,
): Line {
  if (kind === "final" && action.kind === "final") {
    const value = (action.value + 1 + random.integer(modulus - 1)) % modulus;
    return { kind: "final", value };
  }
  if (kind === "look" && action.kind === "look") {
    return { kind: "look", name: random.pick(facts).name };
  }
  if (kind === "operand" && action.kind === "calc") {
    const side = random.integer(2) === 0 ? "left" : "right";
    return { ...action, [side]: random.integer(modulus) };
  }
  if (kind === "operation" && action.kind === "calc") {
    const others = operations.filter((other) => other !== action.operation);
    return { ...action, operation: random.pick(others) };
  }
  return action;
}

/**
 * What is left of an episode: an observation where the last action has none yet, then what is neither
 * looked up nor computed rightly.
 */
function restOfEpisode(problem: ToolProblem, prefix: string, style: Style): string {
  const begun = prefix === "" || prefix.endsWith("\n") ? prefix : `${prefix}\n`;
  const observation = respondTo(problem, begun) ?? "";
  const { lines, known } = judgeEpisode(problem, begun + observation);
  const last = lines.at(-1);
  const lastText = begun.slice(last?.start, last?.end);
  if (last?.correct === true && lastText.startsWith("F:")) return "";
  const rest = writeEpisode(problem, { reasons: style === "reasons", known });
  // The equation of a hop that is begun already is not written twice.
  const seen = lines.map(({ start, end }) => (begun + observation).slice(start, end));
  if (rest[0]?.startsWith("R:") && seen.includes(rest[0])) rest.shift();
  return begun.slice(prefix.length) + observation + rest.join("\n");
}
