import { PupilError } from "../../errors/index.js";
import type { LossDefinition } from "../define.js";
import { type LossInput, lossInputFacts, lossInputs } from "../inputs.js";
import { type LossArray, type LossCase, evaluateCase } from "./case.js";

/** Numbers in nested lists, as a JSON file holds a tensor. */
export type Nested = number | readonly Nested[];

/** Known values of a loss, and gradients of their sum. */
export interface GoldenCase {
  readonly loss: string;
  readonly config?: object;
  readonly inputs: Readonly<Record<string, Nested>>;
  readonly expected: {
    readonly values?: Nested;
    readonly gradients?: Readonly<Record<string, Nested>>;
  };
}

export interface GoldenResult {
  /** The largest error, relative to the largest magnitude of what it was compared with. */
  readonly worstError: number;
  /** Where it is: `values`, or the name of an input for its gradient. */
  readonly where: string;
}

/**
 * Evaluates a definition at a case and compares values and gradients.
 *
 * @throws PupilError for inputs that the loss does not have, or lists that are not a box
 */
export async function runGoldenCase(
  definition: LossDefinition,
  { config = {}, inputs, expected }: GoldenCase,
): Promise<GoldenResult> {
  const loss = { definition, config: definition.config.parse(config) };
  const values = caseOf(inputs);
  const results: GoldenResult[] = [{ worstError: 0, where: "nothing was expected" }];
  const { values: found, gradients } = await evaluateCase(loss, values);
  if (expected.values !== undefined) {
    results.push(resultOf("values", found.data, expected.values));
  }
  for (const [input, gradient] of Object.entries(expected.gradients ?? {})) {
    results.push(resultOf(input, gradients.get(input as LossInput) ?? [], gradient));
  }
  return results.reduce((worst, result) => (result.worstError > worst.worstError ? result : worst));
}

function caseOf(inputs: GoldenCase["inputs"]): LossCase {
  const arrays = Object.entries(inputs).map(([name, nested]): [string, LossArray] => {
    if (!(name in lossInputs)) {
      throw new PupilError(`there is no loss input "${name}".`, {
        field: "inputs",
        remedy: `There are ${Object.keys(lossInputs).join(", ")}.`,
      });
    }
    const shape = shapeOf(nested, name);
    const { dtype } = lossInputFacts(name as LossInput);
    const numbers = flat(nested);
    return [
      name,
      { shape, data: dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers) },
    ];
  });
  return Object.fromEntries(arrays);
}

function resultOf(where: string, actual: ArrayLike<number>, expected: Nested): GoldenResult {
  const wanted = flat(expected);
  if (wanted.length !== actual.length) return { worstError: Infinity, where };
  const largest = Math.max(...wanted.map(Math.abs));
  const errors = wanted.map((e, i) => Math.abs((actual[i] as number) - e));
  const worst = errors.some(Number.isNaN) ? Infinity : Math.max(0, ...errors);
  return { worstError: largest === 0 ? worst : worst / largest, where };
}

function flat(nested: Nested): number[] {
  return typeof nested === "number" ? [nested] : nested.flatMap(flat);
}

function shapeOf(nested: Nested, name: string): number[] {
  if (typeof nested === "number") return [];
  const shapes = nested.map((part) => shapeOf(part, name));
  if (shapes.some((shape) => shape.join() !== shapes[0]?.join())) {
    throw new PupilError("its rows have different lengths.", { field: `inputs.${name}` });
  }
  return [nested.length, ...(shapes[0] ?? [])];
}
