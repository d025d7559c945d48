import { oneOf, PupilError } from "../../errors/index.js";
import { lossTerm } from "../combine.js";
import type { LossDefinition } from "../define.js";
import { type LossInput, lossInputFacts, lossInputs } from "../inputs.js";
import {
  type CheckedLoss,
  entriesOf,
  evaluateCase,
  type Evaluation,
  isMask,
  type LossArray,
  type LossCase,
  sizeOf,
} from "./case.js";

/** Numbers in nested lists, as a JSON file holds a tensor; infinities by name, as it has none. */
export type Nested = number | "Infinity" | "-Infinity" | readonly Nested[];

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
  /** Where it is: `values`, or `gradient of studentLogits`. */
  readonly where: string;
}

/**
 * Evaluates a definition at a case and compares values and gradients. Masks that the case leaves out
 * are 1 everywhere.
 *
 * @throws PupilError for options or inputs that the loss does not have or that it lacks, and for
 *   lists whose shape does not fit
 */
export async function runGoldenCase(
  definition: LossDefinition,
  { config = {}, inputs, expected }: GoldenCase,
): Promise<GoldenResult> {
  const loss = lossTerm(definition, config as Record<string, unknown>);
  const values = withMasks(definition, caseFromLists(inputs));
  const missing = definition.needs.filter((input) => values[input] === undefined);
  if (missing.length > 0) {
    throw new PupilError(`${definition.name} also needs ${missing.join(" and ")}.`, {
      field: "inputs",
    });
  }
  const { values: found, gradients } = await evaluateFitting(loss, values);
  const results: GoldenResult[] = [{ worstError: 0, where: "values" }];
  if (expected.values !== undefined) {
    results.push(resultOf("values", found.data, expected.values, "expected.values"));
  }
  for (const [input, gradient] of Object.entries(expected.gradients ?? {})) {
    const field = `expected.gradients.${input}`;
    const actual = gradients.get(input as LossInput);
    if (actual === undefined) {
      throw new PupilError("there is no such input in the case, or it holds whole numbers.", {
        field,
        remedy: oneOf(input, [...gradients.keys()]),
      });
    }
    results.push(resultOf(`gradient of ${input}`, actual, gradient, field));
  }
  return results.reduce((worst, result) => (result.worstError > worst.worstError ? result : worst));
}

async function evaluateFitting(loss: CheckedLoss, values: LossCase): Promise<Evaluation> {
  try {
    return await evaluateCase(loss, values);
  } catch (error) {
    if (error instanceof PupilError) throw error;
    throw new PupilError(`they do not fit the loss: ${(error as Error).message}`, {
      field: "inputs",
      cause: error,
    });
  }
}

/** The case with the masks that the loss reads and that it leaves out. */
function withMasks(definition: LossDefinition, values: LossCase): LossCase {
  const masks = definition.needs.flatMap((mask): [LossInput, LossArray][] => {
    if (!isMask(mask) || values[mask] !== undefined) return [];
    const marked = entriesOf(values).find(([input]) => lossInputFacts(input).maskedBy === mask);
    if (marked === undefined) return [];
    const shape = marked[1].shape.slice(0, lossInputFacts(mask).shape.split(" ").length);
    return [[mask, { shape, data: new Float32Array(sizeOf(shape)).fill(1) }]];
  });
  return { ...values, ...Object.fromEntries(masks) };
}

/** Nested lists by name as inputs of a loss. */
export function caseFromLists(inputs: GoldenCase["inputs"]): LossCase {
  const arrays = Object.entries(inputs).map(([name, nested]): [string, LossArray] => {
    if (!(name in lossInputs)) {
      throw new PupilError(`there is no loss input "${name}".`, {
        field: "inputs",
        remedy: oneOf(name, Object.keys(lossInputs)),
      });
    }
    const shape = shapeOf(nested, `inputs.${name}`);
    const { dtype } = lossInputFacts(name as LossInput);
    const numbers = flat(nested);
    return [
      name,
      { shape, data: dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers) },
    ];
  });
  return Object.fromEntries(arrays);
}

function resultOf(
  where: string,
  actual: ArrayLike<number>,
  expected: Nested,
  field: string,
): GoldenResult {
  shapeOf(expected, field);
  const wanted = flat(expected);
  if (wanted.length !== actual.length) {
    throw new PupilError(`it has ${wanted.length} numbers, the loss gives ${actual.length}.`, {
      field,
    });
  }
  const largest = Math.max(0, ...wanted.map(Math.abs).filter(Number.isFinite));
  const errors = wanted.map((e, i) => (actual[i] === e ? 0 : Math.abs((actual[i] as number) - e)));
  const worst = errors.some(Number.isNaN) ? Infinity : Math.max(0, ...errors);
  return { worstError: largest === 0 ? worst : worst / largest, where };
}

function flat(nested: Nested): number[] {
  return typeof nested === "object" ? nested.flatMap(flat) : [Number(nested)];
}

/** The shape of nested lists, which come from a file and may hold anything. */
function shapeOf(nested: Nested, field: string): number[] {
  if (typeof nested === "number" || nested === "Infinity" || nested === "-Infinity") return [];
  if (!Array.isArray(nested)) {
    throw new PupilError(`${JSON.stringify(nested)} is neither a number nor a list.`, { field });
  }
  const shapes = (nested as readonly Nested[]).map((part) => shapeOf(part, field));
  if (shapes.some((shape) => shape.join() !== shapes[0]?.join())) {
    throw new PupilError("its rows have different lengths.", { field });
  }
  return [nested.length, ...(shapes[0] ?? [])];
}
