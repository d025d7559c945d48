import { describeLoss } from "../describe.js";
import type { LossDefinition } from "../define.js";
import { type Finding, wrong } from "./check.js";

/**
 * Whether a definition says enough about itself: text for the docs, a default and a description for
 * every option, and examples that differ from the defaults.
 */
export function describesItself(definition: LossDefinition): Finding[] {
  const { fields, ...texts } = describeLoss(definition);
  const { summary, formula, reference } = texts;
  const missing = Object.entries({ summary, formula, reference }).flatMap(([name, text]) =>
    text.trim() === "" ? [wrong(`its ${name} is empty`)] : [],
  );
  const unclear = fields.flatMap(({ name, default: fallback, description }) => [
    ...(fallback === undefined ? [wrong(`option ${name} has no default`)] : []),
    ...(description === "" ? [wrong(`option ${name} is not described`)] : []),
  ]);
  return [...missing, ...unclear, ...examplesSay(definition)];
}

function examplesSay({ config, examples }: LossDefinition): Finding[] {
  const options = Object.keys(config.shape);
  if (examples.length === 0) return [wrong("it has no examples to be checked at")];
  if (options.length === 0 || examples.length > 1) {
    return hasTemperature(options, examples)
      ? []
      : [wrong("no example has a temperature other than 1, which would hide a wrong factor")];
  }
  return [wrong("it has options and only one example: a wrong one would not be seen")];
}

function hasTemperature(options: readonly string[], examples: LossDefinition["examples"]): boolean {
  if (!options.includes("temperature")) return true;
  return examples.some(({ temperature = 1 }) => temperature !== 1);
}
