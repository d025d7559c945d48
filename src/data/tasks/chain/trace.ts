import type { Random } from "../../../tensors/index.js";
import { type ChainProblem, type Fact, lastValue, type Step } from "./problem.js";
import { writeEquation } from "./text.js";

export const styles = ["full", "compact", "terse", "direct"] as const;
export type Style = (typeof styles)[number];

/** What an oracle that talks to itself says beside its steps. */
export const talks = ["restate", "check", "detour"] as const;
export type Talk = (typeof talks)[number];

/** Said behind a line that is taken back. */
export const takenBack = "wait";

export function writeTrace(steps: readonly Step[], style: Style): string {
  if (style === "direct") return String(lastValue(steps));
  return steps.map((step) => writeLine(step, style)).join("\n");
}

export function writeLine({ name, left, operation, right, value }: Step, style: Style): string {
  if (style === "terse") return `${name}=${value}`;
  return spaced(`${name} = ${left} ${operation} ${right} = ${value}`, style);
}

/**
 * The same with talk at a share of the hops: before one its fact again (restate) or a wrong line that
 * is taken back (detour), or behind it its value again (check).
 */
export function writeTalkingTrace(
  problem: ChainProblem,
  steps: readonly Step[],
  { style, verbosity, talk }: { style: Style; verbosity: number; talk: readonly Talk[] },
  random: Random,
): string {
  if (style === "direct") return writeTrace(steps, style);
  const lines = steps.flatMap((step) => {
    const line = writeLine(step, style);
    if (random.uniform() >= verbosity) return [line];
    switch (random.pick(talk)) {
      case "restate": {
        const fact = problem.facts.find(({ name }) => name === step.name) as Fact;
        return [spaced(writeEquation(fact).replace(/[=+*-]/g, " $& "), style), line];
      }
      case "check":
        return [line, `check ${writeLine(step, "terse")}`];
      case "detour": {
        const offset = 1 + random.integer(problem.modulus - 1);
        const value = (step.value + offset) % problem.modulus;
        return [writeLine({ ...step, value }, style), takenBack, line];
      }
    }
  });
  return lines.join("\n");
}

function spaced(line: string, style: Style): string {
  return style === "full" ? line : line.replaceAll(" ", "");
}

/** A line of a trace, as it can be read whatever its style. */
export type Line =
  | { readonly kind: "wait" }
  | { readonly kind: "value" | "check"; readonly name: string; readonly value: number }
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "fact"; readonly fact: string }
  | { readonly kind: "answer"; readonly value: number }
  | { readonly kind: "unknown" };

export function readLine(line: string): Line {
  if (line === takenBack) return { kind: "wait" };
  if (/^\d+$/.test(line)) return { kind: "answer", value: Number(line) };
  const [, check, named, given] = /^(check )?(\w+) ?= ?(-?\d+)$/.exec(line) ?? [];
  if (named !== undefined) {
    return { kind: check === undefined ? "value" : "check", name: named, value: Number(given) };
  }
  const [, name = "", left = "", operation, right = "", value] =
    /^(\w+) ?= ?(\w+) ?([-+*]) ?(\w+)(?: ?= ?(-?\d+))?$/.exec(line) ?? [];
  if (operation === undefined) return { kind: "unknown" };
  if (value === undefined) return { kind: "fact", fact: `${name}=${left}${operation}${right}` };
  return {
    kind: "step",
    step: {
      ...{ name, operation: operation as Step["operation"] },
      ...{ left: Number(left), right: Number(right), value: Number(value) },
    },
  };
}
